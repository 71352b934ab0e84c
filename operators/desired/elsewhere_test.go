// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"strings"
	"testing"

	"gotest.tools/v3/golden"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/network"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func bookingElsewhere() *bookingapi.BookingService {
	b := bookingService()
	b.Spec.Database = operatortest.Aurora()
	return b
}

// What is made where somebody else runs the engines, in full: where they are, who may reach
// them, and the pods with what they mount. -update rewrites it.
func TestEnginesElsewhere(t *testing.T) {
	m, b := operatortest.Messaging("spine", operatortest.Elsewhere), bookingElsewhere()
	objects := map[string][]client.Object{
		"messaging": {messaging.DatabaseEndpoint(m), messaging.BrokerEndpoint(m)},
		"booking":   {booking.DatabaseEndpoint(b)},
	}
	add := func(name string, policies []*networkingv1.NetworkPolicy) {
		for _, p := range policies {
			objects[name] = append(objects[name], p)
		}
	}
	add("messaging", messaging.NetworkPolicies(m))
	add("booking", booking.NetworkPolicies(b))
	for _, c := range messaging.Certificates(m, nil) {
		objects["messaging"] = append(objects["messaging"], c)
	}
	objects["messaging"] = append(objects["messaging"], messaging.GatewayDeployment(m, "r/message-gateway:1"))
	objects["booking"] = append(objects["booking"], booking.Deployment(b, "r/booking-service:1"))
	for name, list := range objects {
		var text []string
		for _, o := range list {
			raw, err := yaml.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, string(raw))
		}
		golden.Assert(t, strings.Join(text, "---\n"), "elsewhere-"+name+".yaml")
	}
}

// Towards engines that somebody else runs, one port of their networks is open, and nothing
// that is about pods of engines of our own is left.
func TestOpeningsToEnginesElsewhere(t *testing.T) {
	m := operatortest.Messaging("spine", operatortest.Elsewhere)
	all := append(messaging.NetworkPolicies(m), booking.NetworkPolicies(bookingElsewhere())...)
	gateway := place{namespace: m.Namespace, labels: messaging.GatewayDeployment(m, "i").Spec.Template.Labels}
	in, out := place{address: "10.40.49.0/24"}, place{address: "10.40.51.0/24"}
	for port, open := range map[int32]bool{5432: true, 5671: true, 5672: false, 15671: false, 22: false} {
		if got := may(all, gateway, in, network.TCP(port)[0], networkingv1.PolicyTypeEgress); got != open {
			t.Errorf("the gateway may connect to the engines' networks at %d: %t", port, got)
		}
		if may(all, gateway, out, network.TCP(port)[0], networkingv1.PolicyTypeEgress) {
			t.Errorf("the gateway may connect beyond the engines' networks at %d", port)
		}
	}
	for _, p := range all {
		if strings.HasSuffix(p.Name, "-db") || strings.HasSuffix(p.Name, "-broker") {
			t.Errorf("policy %s is about pods that there are none of", p.Name)
		}
	}
}
