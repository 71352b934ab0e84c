// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"testing"
	"time"
)

func TestLeads(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*Traffic)
		want   bool
	}{
		"the first time":                     {func(*Traffic) {}, true},
		"seen a moment ago":                  {func(f *Traffic) { f.SeenAt = now.Add(-leadAgain / 2) }, false},
		"seen long ago":                      {func(f *Traffic) { f.SeenAt = now.Add(-leadAgain) }, true},
		"the other site has the vote":        {func(f *Traffic) { f.Voted = false }, false},
		"a service does not serve":           {func(f *Traffic) { f.Serving = false }, false},
		"a Failover is on its way with them": {func(f *Traffic) { f.Moving = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := Traffic{Now: now, Voted: true, Serving: true}
			c.change(&f)
			if got := Leads(f); got != c.want {
				t.Errorf("it leads: %t", got)
			}
		})
	}
}
