// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"slices"
	"testing"
	"time"
)

// More replicas than the Deployment asks for are asked for, and not waited for as if they
// had been lost; everything else waits for them.
func TestMoreReplicas(t *testing.T) {
	facts := func(change func(*world)) Facts {
		w := healthy("v1")
		w.parts[2].Desired, w.parts[2].Ready, w.parts[2].Pending, w.program.Replicas = 4, 2, true, 2
		change(w)
		return Facts{Now: w.now, Deadline: 5 * time.Minute, Parts: w.parts, Program: w.program, Probe: Probe{PassedAt: w.now}}
	}
	for name, c := range map[string]struct {
		facts Facts
		apply string
		state State
	}{
		"asked for":                           {facts(func(*world) {}), "gateway", Progressing},
		"a replica that was there is lost":    {facts(func(w *world) { w.parts[2].Ready = 1 }), "", WaitingForQuorum},
		"a broker is lost":                    {facts(func(w *world) { w.parts[1].Ready = 2 }), "", WaitingForQuorum},
		"the database waits for the replicas": {facts(func(w *world) { w.parts[0].Pending = true }), "", WaitingForQuorum},
	} {
		d := Decide(c.facts)
		if got := slices.Contains(d.Apply, "gateway"); got != (c.apply == "gateway") || d.State != c.state {
			t.Errorf("%s: got %s, apply %v: %s", name, d.State, d.Apply, d.Message)
		}
	}
}
