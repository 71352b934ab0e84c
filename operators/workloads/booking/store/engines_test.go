// SPDX-License-Identifier: Apache-2.0

//go:build engines

package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// A database that has just taken over lets the program in only once its operator has set this
// site's password: the program waits, and says for what.
func TestOpenWaitsUntilItIsLetIn(t *testing.T) {
	server := engines.PostgresServer(t)
	var once sync.Once
	var said string
	s, err := store.Open(t.Context(), store.Options{
		Source:      database.URL(strings.Replace(server.URL, "//postgres@", "//booking@", 1)),
		Connections: 2, Now: time.Now,
		Waiting: func(err error) {
			once.Do(func() {
				said = err.Error()
				admin, err := pgx.Connect(t.Context(), server.URL)
				if err != nil {
					t.Error(err)
					return
				}
				defer admin.Close(t.Context())
				if _, err := admin.Exec(t.Context(), "CREATE ROLE booking LOGIN SUPERUSER"); err != nil {
					t.Error(err)
				}
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if !strings.Contains(said, "booking") {
		t.Errorf("it waited for %q", said)
	}
}
