// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "testing"

func TestOrder(t *testing.T) {
	active, standby := &SiteSpec{Role: RoleActive}, &SiteSpec{Role: RoleStandby}
	annotations := func(role, epoch string) map[string]string {
		return map[string]string{RoleAnnotation: role, EpochAnnotation: epoch, PromotionTokenAnnotation: "token", AcknowledgeAnnotation: "Site"}
	}
	for name, c := range map[string]struct {
		annotations map[string]string
		site        *SiteSpec
		want        SiteOrder
		wrong       bool
	}{
		"one site":                   {annotations("Standby", "7"), nil, SiteOrder{Role: SiteActive}, false},
		"before the first vote":      {nil, active, SiteOrder{Role: SiteQuiesced}, false},
		"a standby before the first": {nil, standby, SiteOrder{Role: SiteStandby}, false},
		"ordered":                    {annotations("Active", "7"), standby, SiteOrder{Role: SiteActive, Epoch: 7, PromotionToken: "token", Alone: true}, false},
		"a role that is none":        {annotations("Primary", "7"), active, SiteOrder{}, true},
		"an epoch that is none":      {annotations("Active", "seven"), active, SiteOrder{}, true},
		"an epoch before all":        {annotations("Active", "-1"), active, SiteOrder{}, true},
		"a role without an epoch":    {map[string]string{RoleAnnotation: "Active"}, active, SiteOrder{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Order(c.annotations, c.site)
			if got != c.want || (err != nil) != c.wrong {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// What is said is what is read.
func FuzzOrder(f *testing.F) {
	f.Add("Active", "7", "token", "Site")
	f.Add("Standby", "", "", "")
	f.Fuzz(func(t *testing.T, role, epoch, token, acknowledge string) {
		said := map[string]string{RoleAnnotation: role, EpochAnnotation: epoch, PromotionTokenAnnotation: token, AcknowledgeAnnotation: acknowledge}
		o, err := Order(said, &SiteSpec{Role: RoleActive})
		if err != nil {
			if o != (SiteOrder{}) {
				t.Errorf("%v is an error and an order: %+v", said, o)
			}
			return
		}
		if again, err := Order(o.Annotations(), &SiteSpec{Role: RoleStandby}); err != nil || again != o {
			t.Errorf("%+v was read again as %+v, %v", o, again, err)
		}
	})
}
