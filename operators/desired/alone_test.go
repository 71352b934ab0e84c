// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"strings"
	"testing"

	"gotest.tools/v3/golden"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/alone"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// comparisons are those that CompareSites makes, of either kind of service.
func comparisons() map[string]alone.Comparison {
	m, b := operatortest.Messaging("spine"), bookingService()
	m.Spec.Site, b.Spec.Site = operatortest.Site(common.RoleActive), operatortest.Site(common.RoleActive)
	return map[string]alone.Comparison{
		"messaging": {Of: messaging.Restorable(m), Name: "spine-compare-a1b2c3"},
		"booking":   {Of: booking.Restorable(b), Name: "ers-compare-a1b2c3"},
	}
}

// What CompareSites makes, in full. -update rewrites it.
func TestAlone(t *testing.T) {
	for kind, c := range comparisons() {
		objects := []client.Object{c.Job("r/program:1")}
		for _, p := range c.NetworkPolicies() {
			objects = append(objects, p)
		}
		var text []string
		for _, o := range objects {
			raw, err := yaml.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, string(raw))
		}
		golden.Assert(t, strings.Join(text, "---\n"), "alone-"+kind+".yaml")
	}
}
