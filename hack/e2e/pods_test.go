// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

var shellImage = regexp.MustCompile(`[0-9.:]+/spine/shell[:@][^"\s]+`)

func mustQuantity(s string) resource.Quantity { return resource.MustParse(s) }

// scratchNamespace is a namespace for one spec, removed with all in it afterwards.
func scratchNamespace(ctx context.Context) string {
	GinkgoHelper()
	ns, err := kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) {
		_, err := rack.Run(ctx, "kubectl", "delete", "namespace", ns.Name, "--wait", "--timeout=120s")
		Expect(err).NotTo(HaveOccurred())
	})
	return ns.Name
}

// shellPod runs a script with the shell image that the site's storage uses for its helpers.
// Its image is found where that names it.
func shellPod(ctx context.Context, name string, labels map[string]string, script string) *corev1.Pod {
	GinkgoHelper()
	maps, err := kube.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	var image string
	for _, m := range maps.Items {
		for _, text := range m.Data {
			if found := shellImage.FindString(text); found != "" {
				image = found
			}
		}
	}
	Expect(image).NotTo(BeEmpty(), "no ConfigMap names the shell image")
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: ptr.To[int64](0),
			Containers: []corev1.Container{{
				Name: "shell", Image: image, Command: []string{"/bin/sh", "-c", script},
			}},
		},
	}
}

// runPod creates the pod and waits until it runs with an address.
func runPod(ctx context.Context, ns string, pod *corev1.Pod) *corev1.Pod {
	GinkgoHelper()
	_, err := kube.CoreV1().Pods(ns).Create(ctx, pod, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	var got *corev1.Pod
	Eventually(func(g Gomega) {
		got, err = kube.CoreV1().Pods(ns).Get(ctx, pod.Name, metav1.GetOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got.Status.Phase).To(Equal(corev1.PodRunning))
		g.Expect(got.Status.PodIP).NotTo(BeEmpty())
	}).WithContext(ctx).Should(Succeed())
	return got
}

func denyAll(ctx context.Context, ns string) {
	GinkgoHelper()
	createPolicy(ctx, ns, &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "default-deny"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})
}

func allow(ctx context.Context, ns, to, from string) {
	GinkgoHelper()
	createPolicy(ctx, ns, &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "allow-" + from},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": to}},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
				{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": from}}}}}},
		},
	})
}

func createPolicy(ctx context.Context, ns string, policy *networkingv1.NetworkPolicy) {
	GinkgoHelper()
	_, err := kube.NetworkingV1().NetworkPolicies(ns).Create(ctx, policy, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
}
