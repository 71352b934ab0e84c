// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// run lets the operator work for a time, a second at a time.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(time.Second) {
		w.site.pass()
		w.tick()
	}
}

// Runs that a person can read.
func TestTraces(t *testing.T) {
	for name, play := range map[string]func(*world){
		"rebuild with approval": func(w *world) {
			r := w.ask("rebuild", api.ActionRebuildBroker, "spine", "alice")
			w.run(5 * time.Second)
			w.say("-- alice asks for the real run of that plan")
			w.really(r)
			w.run(15 * time.Second)
			w.say("-- alice approves her own operation")
			w.approve(r, "alice", r.status.Plan.Digest, time.Hour)
			w.run(15 * time.Second)
			w.say("-- bob approves it")
			w.approve(r, "bob", r.status.Plan.Digest, time.Hour)
			w.run(2 * time.Minute)
		},
		"killed within acts": func(w *world) {
			r := w.ask("rebuild", api.ActionRebuildBroker, "spine", "alice")
			w.policy.Approval.Actions = nil
			w.run(5 * time.Second)
			w.really(r)
			w.killBefore, w.killAfter = "member-1", "member-2"
			w.run(2 * time.Minute)
		},
		"a member is lost midway": func(w *world) {
			r := w.ask("restart", api.ActionRestartRolling, "spine", "alice")
			w.run(5 * time.Second)
			w.really(r)
			w.run(5 * time.Second)
			w.say("-- another member is lost, for a minute")
			w.site.lose("spine", 2, time.Minute)
			w.run(3 * time.Minute)
		},
		"two at once": func(w *world) {
			a := w.ask("restart-spine", api.ActionRestartRolling, "spine", "alice")
			b := w.ask("restart-ers", api.ActionRestartRolling, "ers", "bob")
			w.run(5 * time.Second)
			w.really(a)
			w.really(b)
			w.run(3 * time.Minute)
		},
		"aborted": func(w *world) {
			r := w.ask("restart", api.ActionRestartRolling, "spine", "alice")
			w.run(5 * time.Second)
			w.really(r)
			w.run(5 * time.Second)
			w.say("-- bob aborts it")
			w.change(r, func(s *api.OperationSpec) { s.Abort = true })
			w.run(time.Minute)
		},
		"the plan changed": func(w *world) {
			r := w.ask("restart", api.ActionRestartRolling, "spine", "alice")
			w.run(5 * time.Second)
			w.site.image["spine"]++
			w.say("-- the service gets another image, then alice asks for the plan that she read")
			w.really(r)
			w.run(2 * time.Hour)
		},
		"a step takes too long": func(w *world) {
			r := w.ask("restart", api.ActionRestartRolling, "spine", "alice")
			w.site.stuck = true
			w.run(5 * time.Second)
			w.really(r)
			w.run(10 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			play(w)
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
			golden.Assert(t, w.trace.String(), strings.ReplaceAll(name, " ", "-")+".txt")
		})
	}
}
