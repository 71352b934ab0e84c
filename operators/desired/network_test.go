// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/golden"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/restore"
)

// place is a kind of pod, or one of the ends outside of which no policy knows anything.
type place struct {
	name, namespace string
	labels          map[string]string
	// address of an end outside; empty for pods.
	address string
}

var anywhere = place{name: "anywhere", address: "0.0.0.0/0"}

func places() []place {
	b, m := bookingService(), messagingService()
	ledger, bookings := copies()["messaging"], copies()["booking"]
	return []place{
		{name: "booking service", namespace: b.Namespace, labels: booking.Deployment(b, "i").Spec.Template.Labels},
		{name: "booking database", namespace: b.Namespace, labels: databasePod(booking.DatabaseName(b), booking.Labels(b, booking.ComponentDatabase))},
		{name: "message gateway", namespace: m.Namespace, labels: messaging.GatewayDeployment(m, "i").Spec.Template.Labels},
		{name: "messaging database", namespace: m.Namespace, labels: databasePod(messaging.DatabaseName(m), messaging.Labels(m, messaging.Database))},
		{name: "copy of the messaging database", namespace: m.Namespace, labels: databasePod(ledger.Name, messaging.Labels(m, messaging.Database))},
		{name: "restorer", namespace: m.Namespace, labels: ledger.Job("i", restore.CarryOver).Spec.Template.Labels},
		{name: "copy of the booking database", namespace: b.Namespace, labels: databasePod(bookings.Name, booking.Labels(b, booking.ComponentDatabase))},
		{name: "restorer of bookings", namespace: b.Namespace, labels: bookings.Job("i", restore.CarryOver).Spec.Template.Labels},
		{name: "comparer", namespace: m.Namespace, labels: comparisons()["messaging"].Job("i").Spec.Template.Labels},
		{name: "comparer of bookings", namespace: b.Namespace, labels: comparisons()["booking"].Job("i").Spec.Template.Labels},
		{name: "messaging broker", namespace: m.Namespace, labels: map[string]string{"app.kubernetes.io/name": messaging.BrokerName(m)}},
		{name: "manager", namespace: "spine-system", labels: map[string]string{"app.kubernetes.io/name": "spine-manager"}},
		{name: "stray pod beside booking", namespace: b.Namespace},
		{name: "stray pod beside messaging", namespace: m.Namespace},
		{name: "database operator", namespace: "cnpg-system", labels: map[string]string{"app.kubernetes.io/name": "cloudnative-pg"}},
		{name: "resolver", namespace: "kube-system", labels: map[string]string{"k8s-app": "kube-dns"}},
		{name: "providers' network", address: "10.20.0.0/16"},
		{name: "object store's network", address: "10.30.0.0/16"},
		{name: "other site's network", address: "10.94.0.0/24"},
		anywhere,
	}
}

func databasePod(cluster string, inherited map[string]string) map[string]string {
	out := map[string]string{database.ClusterLabel: cluster, database.RoleLabel: database.RoleInstance}
	for k, v := range inherited {
		out[k] = v
	}
	return out
}

// TestEdges lists who may connect to whom. A line more or less is a decision: look at it,
// then write the list anew with -update.
func TestEdges(t *testing.T) {
	all := policies(t)
	var ports []networkingv1.NetworkPolicyPort
	for _, p := range all {
		for _, r := range p.Spec.Ingress {
			ports = append(ports, r.Ports...)
		}
		for _, r := range p.Spec.Egress {
			ports = append(ports, r.Ports...)
		}
	}
	var lines []string
	for _, from := range places() {
		for _, to := range places() {
			// Two ends of which no policy of ours knows anything.
			if !closed(all, from) && !closed(all, to) {
				continue
			}
			for _, port := range ports {
				// Where anywhere is allowed, an end that we do not close is nothing more.
				if from.name != anywhere.name && !closed(all, from) && connects(all, anywhere, to, port) ||
					to.name != anywhere.name && !closed(all, to) && connects(all, from, anywhere, port) {
					continue
				}
				if connects(all, from, to, port) {
					lines = append(lines, fmt.Sprintf("%s -> %s: %s", from.name, to.name, text(port)))
				}
			}
		}
	}
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	golden.Assert(t, got, "edges.txt")
}

// Whatever one end may connect to, the other must let in, and the other way round: half
// an opening is a mistake.
func TestEdgesHaveTwoEnds(t *testing.T) {
	all := policies(t)
	for _, p := range all {
		for _, r := range p.Spec.Egress {
			for _, to := range places() {
				for _, port := range r.Ports {
					from := place{namespace: p.Namespace, labels: p.Spec.PodSelector.MatchLabels}
					if named(p, r.To, to) && closed(all, to) && !may(all, to, from, port, networkingv1.PolicyTypeIngress) {
						t.Errorf("%s/%s may connect to the %s at %s, which does not let it in", p.Namespace, p.Name, to.name, text(port))
					}
				}
			}
		}
	}
}

func connects(all []*networkingv1.NetworkPolicy, from, to place, port networkingv1.NetworkPolicyPort) bool {
	return may(all, from, to, port, networkingv1.PolicyTypeEgress) && may(all, to, from, port, networkingv1.PolicyTypeIngress)
}

// closed says whether any policy is about the place.
func closed(all []*networkingv1.NetworkPolicy, p place) bool {
	return slices.ContainsFunc(all, func(n *networkingv1.NetworkPolicy) bool { return about(n, p) })
}

func about(n *networkingv1.NetworkPolicy, p place) bool {
	return p.address == "" && n.Namespace == p.namespace && matches(&n.Spec.PodSelector, p.labels)
}

// may says whether the policies about one end let it connect to (egress), or be connected
// from (ingress), the other.
func may(all []*networkingv1.NetworkPolicy, end, other place, port networkingv1.NetworkPolicyPort, direction networkingv1.PolicyType) bool {
	bound := false
	for _, n := range all {
		if !about(n, end) || !slices.Contains(n.Spec.PolicyTypes, direction) {
			continue
		}
		bound = true
		if direction == networkingv1.PolicyTypeEgress {
			for _, r := range n.Spec.Egress {
				if listed(n, r.To, other) && holds(r.Ports, port) {
					return true
				}
			}
			continue
		}
		for _, r := range n.Spec.Ingress {
			if listed(n, r.From, other) && holds(r.Ports, port) {
				return true
			}
		}
	}
	return !bound
}

func listed(n *networkingv1.NetworkPolicy, peers []networkingv1.NetworkPolicyPeer, p place) bool {
	return len(peers) == 0 || named(n, peers, p)
}

func named(n *networkingv1.NetworkPolicy, peers []networkingv1.NetworkPolicyPeer, p place) bool {
	return slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		switch {
		case peer.IPBlock != nil:
			return peer.IPBlock.CIDR == p.address
		case p.address != "":
			return false
		case peer.NamespaceSelector == nil:
			return n.Namespace == p.namespace && matches(peer.PodSelector, p.labels)
		}
		return matches(peer.NamespaceSelector, map[string]string{corev1.LabelMetadataName: p.namespace}) &&
			(peer.PodSelector == nil || matches(peer.PodSelector, p.labels))
	})
}

func matches(s *metav1.LabelSelector, set map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		panic(err) // a selector that the API server would refuse
	}
	return selector.Matches(labels.Set(set))
}

func holds(ports []networkingv1.NetworkPolicyPort, port networkingv1.NetworkPolicyPort) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool { return text(p) == text(port) })
}

func text(p networkingv1.NetworkPolicyPort) string {
	out := fmt.Sprintf("%s %s", *p.Protocol, p.Port)
	if p.EndPort != nil {
		out += fmt.Sprintf("-%d", *p.EndPort)
	}
	return out
}
