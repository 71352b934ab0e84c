// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// site is one cluster: a context of the kubeconfig.
type site struct {
	// name of the context, and the API server's address.
	name, server string
	// client that reads and writes without a cache.
	client client.WithWatch
	// logs of one container: its last lines.
	logs func(ctx context.Context, pod *corev1.Pod, container string, lines int64) (io.ReadCloser, error)
}

// Namespaces that a site's parts are in: they are read one by one where the caller may not
// read all.
const (
	systemNamespace    = "spine-system"
	messagingNamespace = "spine-messaging"
	bookingNamespace   = "spine-booking"
)

var ourNamespaces = []string{systemNamespace, messagingNamespace, bookingNamespace}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, messagingapi.AddToScheme, bookingapi.AddToScheme, api.AddToScheme,
	} {
		if err := add(s); err != nil {
			panic(err) // two types of one name: a mistake in this program, found by its first test
		}
	}
	return s
}

// root kinds have no namespace.
var rootKinds = []string{"Node", "SelfSubjectReview", "Namespace", "PersistentVolume"}

// mapper knows the kinds without asking the API server: discovery takes long, and fails when
// any one aggregated API is down.
func mapper(s *runtime.Scheme) meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	for gvk := range s.AllKnownTypes() {
		scope := meta.RESTScopeNamespace
		if slices.Contains(rootKinds, gvk.Kind) {
			scope = meta.RESTScopeRoot
		}
		m.Add(gvk, scope)
	}
	for _, gvk := range engineKinds {
		m.Add(gvk, meta.RESTScopeNamespace)
	}
	return m
}

// engineKinds are read for the report.
var engineKinds = []schema.GroupVersionKind{
	{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"},
	{Group: "rabbitmq.com", Version: "v1beta1", Kind: "RabbitmqCluster"},
	{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"},
}

// dial makes a client of a context. It does not call the API server yet.
func (a *app) dial(name string) (*site, error) {
	flags := a.flags
	if name != "" {
		flags = genericclioptions.NewConfigFlags(false)
		flags.KubeConfig, flags.Context = a.flags.KubeConfig, &name
		flags.Impersonate, flags.ImpersonateGroup = a.flags.Impersonate, a.flags.ImpersonateGroup
	}
	loader := flags.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, noCluster(err)
	}
	current := raw.CurrentContext
	if flags.Context != nil && *flags.Context != "" {
		current = *flags.Context
		if _, ok := raw.Contexts[current]; !ok {
			return nil, unknown("context", current, slices.Sorted(maps.Keys(raw.Contexts)))
		}
	}
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, noCluster(err)
	}
	// What kubectl's library falls back to when nothing is configured.
	if config.Host == "http://localhost:8080" && (flags.APIServer == nil || *flags.APIServer == "") {
		return nil, noCluster(clientcmd.ErrEmptyConfig)
	}
	config.UserAgent = "kubectl-spine"
	config.QPS, config.Burst = 50, 100
	s := scheme()
	c, err := client.NewWithWatch(config, client.Options{Scheme: s, Mapper: mapper(s)})
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", current, err)
	}
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", current, err)
	}
	if current == "" {
		current = "(none)"
	}
	return &site{name: current, server: config.Host, client: c, logs: func(ctx context.Context, pod *corev1.Pod, container string, lines int64) (io.ReadCloser, error) {
		return set.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, TailLines: &lines}).Stream(ctx)
	}}, nil
}

func (a *app) kubeContexts() ([]string, error) {
	raw, err := a.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, noCluster(err)
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), nil
}

// whoami is the caller's name, as the API server knows it.
func (s *site) whoami(ctx context.Context) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := s.client.Create(ctx, review); err != nil {
		return "", s.explain(err, "ask who you are")
	}
	if review.Status.UserInfo.Username == "" {
		return "", fmt.Errorf("the API server of %s does not say who you are: log in with a kubeconfig that names a user", s.name)
	}
	return review.Status.UserInfo.Username, nil
}
