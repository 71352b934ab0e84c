// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"slices"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// An engine that never had a member is brought to a corrected specification: that may be what keeps its members away.
func TestCorrectedBeforeTheFirstMember(t *testing.T) {
	for name, c := range map[string]struct {
		ready          int32
		known, pending bool
		want           []string
	}{
		"corrected":           {0, true, true, []string{"database"}},
		"as specified":        {0, true, false, nil},
		"nobody can tell":     {0, false, true, nil},
		"it has members":      {1, true, true, []string{"program"}},
		"its first one is in": {1, true, false, []string{"program"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(Facts{Now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), Deadline: 5 * time.Minute, Parts: []Part{
				{Part: quorum.Part{Name: "database", Known: c.known, Desired: 3, Ready: c.ready}, Exists: true, Pending: c.pending},
				{Part: quorum.Part{Name: "program", Known: true, Desired: 2}},
			}, Program: Program{Wanted: "v1"}})
			if !slices.Equal(d.Apply, c.want) {
				t.Errorf("it applies %v, want %v (%s: %s)", d.Apply, c.want, d.State, d.Message)
			}
		})
	}
}
