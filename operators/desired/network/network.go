// SPDX-License-Identifier: Apache-2.0

// Package network builds NetworkPolicies: everything is denied, and each opening is said
// once, in the words of who may reach whom.
package network

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// Rule is one opening: these peers, on these ports. Without peers it is open to or from
// anywhere.
type Rule struct {
	// Peers on the other side; none means anywhere.
	Peers []networkingv1.NetworkPolicyPeer
	// Ports of the pods that are connected to.
	Ports []networkingv1.NetworkPolicyPort
}

// DefaultDeny closes all pods of the namespace in both directions.
func DefaultDeny(meta metav1.ObjectMeta) *networkingv1.NetworkPolicy {
	return build(meta, metav1.LabelSelector{}, nil, nil)
}

// Policy opens the pods with the labels to the rules.
func Policy(meta metav1.ObjectMeta, pods map[string]string, ingress, egress []Rule) *networkingv1.NetworkPolicy {
	return build(meta, metav1.LabelSelector{MatchLabels: pods}, ingress, egress)
}

func build(meta metav1.ObjectMeta, pods metav1.LabelSelector, ingress, egress []Rule) *networkingv1.NetworkPolicy {
	p := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: meta,
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: pods,
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		},
	}
	for _, r := range ingress {
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: r.Peers, Ports: r.Ports})
	}
	for _, r := range egress {
		p.Spec.Egress = append(p.Spec.Egress, networkingv1.NetworkPolicyEgressRule{To: r.Peers, Ports: r.Ports})
	}
	return p
}

// Pods are peers in the policy's own namespace.
func Pods(labels map[string]string) []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: labels}}}
}

// PodsIn are peers in another namespace, known by its name.
func PodsIn(namespace string, labels map[string]string) []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: labels},
	}}
}

// TCP lists ports.
func TCP(ports ...int32) []networkingv1.NetworkPolicyPort {
	var out []networkingv1.NetworkPolicyPort
	for _, p := range ports {
		out = append(out, port(corev1.ProtocolTCP, p))
	}
	return out
}

// TCPRange is the ports from first to last.
func TCPRange(first, last int32) []networkingv1.NetworkPolicyPort {
	p := port(corev1.ProtocolTCP, first)
	p.EndPort = &last
	return []networkingv1.NetworkPolicyPort{p}
}

func port(protocol corev1.Protocol, number int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: ptr.To(protocol), Port: ptr.To(intstr.FromInt32(number))}
}

// DNS opens the way to the cluster's resolvers.
func DNS() Rule {
	return Rule{
		Peers: PodsIn("kube-system", map[string]string{"k8s-app": "kube-dns"}),
		Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53)},
	}
}

// KubeAPI opens the way to the API servers, by port alone: 6443 on our own hosts, 443 where
// a cloud runs them. They are no pods, so no selector names them, and their addresses change
// with the hosts. operators/README.md says what holds instead.
func KubeAPI() Rule { return Rule{Ports: TCP(443, 6443)} }
