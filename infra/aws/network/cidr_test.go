// SPDX-License-Identifier: Apache-2.0

package network

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TestPlan holds the parts apart, within the whole, and large enough: AWS keeps
// five addresses of a subnet, a balancer wants eight free, EKS sixteen.
func TestPlan(t *testing.T) {
	for _, cidr := range []string{"10.64.0.0/16", "10.65.16.0/20", "172.16.0.0/17"} {
		whole, p := netip.MustParsePrefix(cidr), planOf(cidr)
		all := slices.Concat(p.apps, p.data, p.control, p.edge)
		if len(all) != 4*len(Zones) {
			t.Fatalf("%s has %d parts", cidr, len(all))
		}
		for i, a := range all {
			if !whole.Contains(a.Addr()) || a != a.Masked() || a.Bits() > 27 {
				t.Errorf("%s: %s is outside, misplaced or too small", cidr, a)
			}
			for _, b := range all[i+1:] {
				if a.Overlaps(b) {
					t.Errorf("%s: %s overlaps %s", cidr, a, b)
				}
			}
		}
	}
	if got := planOf("10.64.0.0/16"); got.edge[0].String() != "10.64.224.0/21" || got.control[2].String() != "10.64.220.0/23" {
		t.Errorf("the plan of a /16 is not the one that is written down: %v", got)
	}
}

// FuzzPlan holds that every range which is taken can be shared out within itself.
func FuzzPlan(f *testing.F) {
	for _, cidr := range []string{"10.64.0.0/16", "192.168.0.0/20", "172.31.240.0/20", "10.0.0.0/8", "x"} {
		f.Add(cidr)
	}
	f.Fuzz(func(t *testing.T, cidr string) {
		a := &Args{Account: "111122223333", CIDR: cidr, EgressZones: 1, LogKeyArn: pulumi.String("arn:key"), LogDays: 365}
		if a.Validate() != nil {
			return
		}
		whole, p := netip.MustParsePrefix(cidr), planOf(cidr)
		for _, part := range slices.Concat(p.apps, p.data, p.control, p.edge) {
			if !whole.Contains(part.Addr()) || part.Bits() > 27 {
				t.Errorf("%s has the part %s", cidr, part)
			}
		}
	})
}
