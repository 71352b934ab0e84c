// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"strings"
	"testing"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// The operator is killed at every single call of anything outside itself, each time in
// another run: each run ends well, and does nothing twice that must not be.
func TestKilledAnywhere(t *testing.T) {
	for _, action := range []api.Action{api.ActionRebuildBroker, api.ActionRestartRolling, api.ActionQuarantineSupplier} {
		points := 0
		for at := 1; ; at++ {
			w := newWorld(1)
			w.policy.Approval.Actions = nil
			r := w.ask("op", action, "spine", "alice")
			w.run(3 * time.Second)
			w.really(r)
			w.crashAt = at
			w.run(3 * time.Minute)
			if r.status.Phase != api.PhaseSucceeded || len(r.status.Leases) > 0 {
				t.Fatalf("%s killed at point %d is %s: %s", action, at, r.status.Phase, r.status.Message)
			}
			if len(w.wrong) > 0 {
				t.Fatalf("%s killed at point %d:\n%s", action, at, strings.Join(w.wrong, "\n"))
			}
			if w.crashAt > 0 {
				points = at - 1
				break
			}
		}
		t.Logf("%s: %d points", action, points)
		if points < 20 {
			t.Errorf("%s has only %d points: the kills do not reach everything", action, points)
		}
	}
}
