// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"encoding/json"
	"testing"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Whatever a resource says, and whatever somebody has written into its status, the engine
// does not panic and makes no act that breaks an invariant.
func FuzzAdvance(f *testing.F) {
	f.Add([]byte(`{"dryRun":false,"planDigest":"sha256:1"}`), []byte(`{"phase":"Running","steps":[{"name":"member-0","state":"Running"}]}`))
	f.Add([]byte(`{"dryRun":true}`), []byte(`{"phase":"Planned","leases":["site"]}`))
	f.Add([]byte(`{"dryRun":false,"abort":true}`), []byte(`{"phase":"Verifying","plan":{"steps":[]},"evidence":{},"startedAt":"2026-11-21T03:00:00Z"}`))
	f.Add([]byte(`{"dryRun":false}`), []byte(`{"phase":"Failed","leases":["service-x"],"steps":[{"name":"a","state":"Failed","acts":1}]}`))
	f.Fuzz(func(t *testing.T, spec, status []byte) {
		w := newWorld(1)
		r := w.ask("op", api.ActionRestartRolling, "spine", "alice")
		if json.Unmarshal(spec, &r.spec) != nil || json.Unmarshal(status, &r.status) != nil {
			return
		}
		acts := r.status.Phase == api.PhaseRunning || r.status.Phase == api.PhaseVerifying
		w.run(20 * time.Second)
		// Of a run that somebody has written into the status nobody can tell who agreed to it.
		if !acts && len(w.wrong) > 0 {
			t.Errorf("%v", w.wrong)
		}
	})
}
