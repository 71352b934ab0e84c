// SPDX-License-Identifier: Apache-2.0

package database

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
)

// reloadLabel has CloudNativePG look again when a Secret changes.
const reloadLabel = "cnpg.io/reload"

// EdgeName of the Service where the other site comes in.
func EdgeName(cluster string) string { return cluster + "-edge" }

// Certificates of a Cluster of two sites, which both sites' authority signs: of its
// instances as servers, good for the edge's names and addresses too, and as clients that
// replicate, from each other and from the other site.
func Certificates(cluster, issuer string, meta metav1.ObjectMeta, edge []string) []*unstructured.Unstructured {
	labels := maps.Clone(meta.Labels)
	labels[reloadLabel] = ""
	var names []string
	for _, service := range []string{"-rw", "-r", "-ro"} {
		names = append(names, certificate.ServiceNames(cluster+service, meta.Namespace)...)
	}
	return []*unstructured.Unstructured{
		certificate.New(certificate.Args{
			Name: serverSecret(cluster), Namespace: meta.Namespace, Labels: labels, Issuer: issuer,
			Names: append(names, slices.Sorted(slices.Values(edge))...), Usages: []certificate.Usage{certificate.Server},
		}),
		certificate.New(certificate.Args{
			Name: replicationSecret(cluster), Namespace: meta.Namespace, Labels: labels, Issuer: issuer,
			CommonName: replicationUser, Usages: []certificate.Usage{certificate.Client},
		}),
	}
}

// EdgeService leads the other site to the pods with the labels, at a port of the edge's
// address that every other network finds closed.
func EdgeService(meta metav1.ObjectMeta, site *common.SiteSpec, class string, pods map[string]string, port, target int32) *corev1.Service {
	s := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			Type:                          corev1.ServiceTypeLoadBalancer,
			LoadBalancerClass:             ptr.To(class),
			AllocateLoadBalancerNodePorts: ptr.To(false),
			Selector:                      pods,
			Ports: []corev1.ServicePort{{
				Name: "peer", Protocol: corev1.ProtocolTCP, Port: port, TargetPort: intstr.FromInt32(target),
			}},
		},
	}
	for _, n := range site.Peer.Networks {
		s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, string(n))
	}
	return s
}

// Primary selects the pod that takes writes, or would if its site did.
func Primary(cluster string) map[string]string {
	return map[string]string{ClusterLabel: cluster, InstanceRoleLabel: PrimaryRole}
}
