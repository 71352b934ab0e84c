// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
)

func broughtUp() {
	It("has three Ready nodes and every pod well", func(ctx context.Context) {
		allWell(ctx, "a", "b", "c")
	})

	It("is left alone by the next `pulumi up`", func(ctx context.Context) {
		begin := time.Now()
		unchanged(ctx)
		AddReportEntry("warm preview", time.Since(begin).Round(10*time.Millisecond).String())
		_, err := rack.Pulumi(ctx, "up", "--yes", "--expect-no-changes")
		Expect(err).NotTo(HaveOccurred())
	})

	It("spreads DNS over hosts and racks", func(ctx context.Context) {
		pods, err := kube.CoreV1().Pods("kube-system").List(ctx, metav1.ListOptions{LabelSelector: "k8s-app=kube-dns"})
		Expect(err).NotTo(HaveOccurred())
		nodes := sets.New[string]()
		for _, p := range pods.Items {
			nodes.Insert(p.Spec.NodeName)
		}
		Expect(len(pods.Items)).To(BeNumerically(">=", 2))
		Expect(nodes).To(HaveLen(len(pods.Items)), "each DNS pod on a host of its own")
	})

	It("answers at the edge", func(ctx context.Context) {
		edge, err := rack.Address(101)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func(g Gomega) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+edge+"/", nil)
			g.Expect(err).NotTo(HaveOccurred())
			resp, err := http.DefaultClient.Do(req)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(resp.Body.Close()).To(Succeed())
			// No route is configured yet: the entry point itself answers, and says so.
			g.Expect(resp.StatusCode).To(Equal(http.StatusNotFound))
		}).WithContext(ctx).Should(Succeed())
	})

	It("runs every image by digest", func(ctx context.Context) {
		pods, err := kube.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		registry, err := rack.Address(1)
		Expect(err).NotTo(HaveOccurred())
		for _, p := range pods.Items {
			for _, c := range p.Spec.Containers {
				Expect(c.Image).To(HavePrefix(registry+":5000/"), p.Name)
				// kubeadm names the control plane's own images by version; all others are ours to pin.
				if p.Labels["tier"] != "control-plane" && p.Labels["k8s-app"] != "kube-proxy" {
					Expect(c.Image).To(ContainSubstring("@sha256:"), p.Name)
				}
			}
		}
	})

	It("binds a persistent volume on the host of its pod", func(ctx context.Context) {
		classes, err := kube.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		defaults := 0
		for _, c := range classes.Items {
			if c.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
				defaults++
			}
		}
		Expect(defaults).To(Equal(1), "one default StorageClass")

		ns := scratchNamespace(ctx)
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: mustQuantity("16Mi")}},
		}}
		_, err = kube.CoreV1().PersistentVolumeClaims(ns).Create(ctx, claim, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		pod := shellPod(ctx, "writer", nil, "echo kept > /data/x && cat /data/x && sleep 1000000")
		pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
		runPod(ctx, ns, pod)
	})

	It("enforces network policies between hosts", func(ctx context.Context) {
		ns := scratchNamespace(ctx)
		server := shellPod(ctx, "server", map[string]string{"app": "server"}, `while true; do printf "HTTP/1.0 200 OK\r\n\r\nhello" | nc -l -p 8080; done`)
		server.Spec.NodeName = "a"
		address := runPod(ctx, ns, server).Status.PodIP
		client := shellPod(ctx, "client", map[string]string{"app": "client"}, "sleep 1000000")
		client.Spec.NodeName = "b"
		runPod(ctx, ns, client)

		reach := func() error {
			_, err := rack.Run(ctx, "kubectl", "exec", "-n", ns, "client", "--", "sh", "-c",
				`printf "GET / HTTP/1.0\r\n\r\n" | nc -w 3 `+address+` 8080 | grep hello`)
			return err
		}
		Eventually(reach).WithContext(ctx).Should(Succeed())
		denyAll(ctx, ns)
		Eventually(reach).WithContext(ctx).ShouldNot(Succeed())
		allow(ctx, ns, "server", "client")
		Eventually(reach).WithContext(ctx).Should(Succeed())
	})

	It("loses the link between two racks with `rack partition`, and has it back with `rack heal`", func(ctx context.Context) {
		address, err := rack.Address(12)
		Expect(err).NotTo(HaveOccurred())
		ask := func(ctx context.Context) error {
			_, err := rack.SSH(ctx, "a", "curl -sk -m 2 -o /dev/null https://"+address+":6443/livez")
			return err
		}
		Expect(ask(ctx)).To(Succeed())
		_, err = rack.Run(ctx, "rack", "partition", "r1", "r2", "--rack", rack.Rack)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx context.Context) {
			_, err := rack.Run(ctx, "rack", "heal", "--rack", rack.Rack)
			Expect(err).NotTo(HaveOccurred())
			Eventually(ask).WithContext(ctx).Should(Succeed())
			allWell(ctx, "a", "b", "c")
		})
		Expect(ask(ctx)).NotTo(Succeed())
	})
}
