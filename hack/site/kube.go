// SPDX-License-Identifier: Apache-2.0

package site

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func (s *Site) restConfig() (*rest.Config, error) {
	return clientcmd.BuildConfigFromFlags("", filepath.Join(s.Home, "kubeconfig-"+s.Name))
}

// WriteKubeconfig takes the kubeconfig out of the stack, as `make up` does at its end; a new cluster has a new one.
func (s *Site) WriteKubeconfig(ctx context.Context) error {
	out, err := s.Command(ctx, "pulumi", "stack", "output", "kubeconfig", "--show-secrets", "--stack", s.Name).Output()
	if err != nil {
		return fmt.Errorf("the stack's kubeconfig: %w", err)
	}
	return os.WriteFile(filepath.Join(s.Home, "kubeconfig-"+s.Name), out, 0o600)
}

// Kube is a client of the site's cluster, by way of the API address.
func (s *Site) Kube() (kubernetes.Interface, error) {
	config, err := s.restConfig()
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}

// Objects is a client of the same API that knows the kinds of our own and reads every other one as it stands.
func (s *Site) Objects() (client.Client, error) { return s.ObjectsAs("") }

// ObjectsAs is the same for another user, with that user's rights.
func (s *Site) ObjectsAs(user string) (client.Client, error) {
	config, err := s.restConfig()
	if err != nil {
		return nil, err
	}
	config.Impersonate.UserName = user
	config.Timeout = 10 * time.Second
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, messaging.AddToScheme, booking.AddToScheme, resilience.AddToScheme} {
		if err := add(known); err != nil {
			return nil, err
		}
	}
	return client.New(config, client.Options{Scheme: known})
}

// APIProbe is what a probe of the site's API needs: a client that opens a new connection for each request, and a URL.
func (s *Site) APIProbe() (*http.Client, string, error) {
	config, err := s.restConfig()
	if err != nil {
		return nil, "", err
	}
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, "", err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: tlsConfig, DisableKeepAlives: true}}, config.Host + "/readyz", nil
}

// NodeReady returns the status of a node's Ready condition: True, False, Unknown, or Absent when there is no such node.
func NodeReady(ctx context.Context, kube kubernetes.Interface, name string) (string, error) {
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(nodes.Items, func(n corev1.Node) bool { return n.Name == name })
	if i < 0 {
		return "Absent", nil
	}
	for _, c := range nodes.Items[i].Status.Conditions {
		if c.Type == corev1.NodeReady {
			return string(c.Status), nil
		}
	}
	return "Unknown", nil
}

// UnwellPods lists the pods that are neither finished nor ready, each with why; those on nodes that are not ready too.
func UnwellPods(ctx context.Context, kube kubernetes.Interface) ([]string, error) {
	pods, err := kube.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	unwell := []string{}
	for _, p := range pods.Items {
		ready := slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if p.Status.Phase != corev1.PodSucceeded && (!ready || p.DeletionTimestamp != nil) {
			unwell = append(unwell, fmt.Sprintf("%s/%s on %s is %s", p.Namespace, p.Name, p.Spec.NodeName, p.Status.Phase))
		}
	}
	return unwell, nil
}
