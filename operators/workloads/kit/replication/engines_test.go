// SPDX-License-Identifier: Apache-2.0

//go:build engines

package replication

import (
	"testing"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Who may not see the standbys says so, rather than that there are none.
func TestStandbysAreKnownToWhoMaySeeThem(t *testing.T) {
	pool, err := database.Pool(t.Context(), database.URL(engines.Postgres(t)), "test", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	run := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE ROLE program`)
	run(`SET ROLE program`)
	if names, err := Standbys(t.Context(), database.Replicated, pool); err != nil || names != nil {
		t.Errorf("without the right to see them: %v (%v)", names, err)
	}
	run(`RESET ROLE`)
	run(`GRANT pg_read_all_stats TO program`)
	run(`SET ROLE program`)
	if names, err := Standbys(t.Context(), database.Replicated, pool); err != nil || names == nil || len(names) > 0 {
		t.Errorf("with it, and no standby: %#v (%v)", names, err)
	}
}
