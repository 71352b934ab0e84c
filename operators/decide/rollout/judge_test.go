// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"testing"
	"time"
)

// Whose word counts while an image is being changed: that of probes through the new image.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	started, before, after := now.Add(-time.Minute), now.Add(-2*time.Minute), now.Add(-30*time.Second)
	const good, stays, back = "good", "goes on", "goes back"
	for name, c := range map[string]struct {
		complete    bool
		path, image Probe
		want        string
	}{
		"the new image passed":                         {true, Probe{PassedAt: after}, Probe{PassedAt: after}, good},
		"only old replicas passed":                     {true, Probe{PassedAt: after}, Probe{}, stays},
		"the new image passed before this change":      {true, Probe{PassedAt: after}, Probe{PassedAt: before}, stays},
		"some replicas are still old":                  {false, Probe{PassedAt: after}, Probe{PassedAt: after}, stays},
		"the new image fails, old replicas hide it":    {true, Probe{PassedAt: after}, Probe{Failing: true}, back},
		"the path fails since the change began":        {false, Probe{PassedAt: after, Failing: true}, Probe{}, back},
		"the path failed before, nobody new was asked": {false, Probe{PassedAt: before, Failing: true}, Probe{}, stays},
		"the path never worked, nobody new was asked":  {false, Probe{Failing: true}, Probe{}, stays},
		"the path failed before, the new image too":    {false, Probe{PassedAt: before, Failing: true}, Probe{Failing: true}, back},
		"the new image passed, clients still fail":     {true, Probe{PassedAt: before, Failing: true}, Probe{PassedAt: after}, stays},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy("v2")
			w.program.LastGood, w.program.StartedAt, w.program.Complete = "v1", &started, c.complete
			d := Decide(Facts{Now: now, Deadline: 5 * time.Minute, Parts: w.parts, Program: w.program, Probe: c.path, Image: c.image})
			got := stays
			switch {
			case d.Program.Rejected == "v2" && d.Program.Current == "v1":
				got = back
			case d.Program.LastGood == "v2" && d.Program.StartedAt == nil:
				got = good
			}
			if got != c.want {
				t.Errorf("it %s, want: %s (%s: %s)", got, c.want, d.State, d.Message)
			}
		})
	}
}
