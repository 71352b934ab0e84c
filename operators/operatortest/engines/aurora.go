// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What Aurora starts for a service: its database, and its owner with a password.
const (
	AuroraDatabase = "spine"
	AuroraUser     = "owner"
	AuroraPassword = "owners-password"
)

// Aurora is a PostgreSQL with TLS that answers as an Aurora does, as far as programs ask: it
// has the function by which one is known, and refuses those that tell of log and timelines.
// It keeps commits on one disk, which is enough for a test.
func Aurora(t testing.TB, a *Authority) *Server {
	t.Helper()
	s := SecurePostgres(t, a)
	inside, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	inside.Path = "/" + AuroraDatabase
	run(t, s.URL, `CREATE ROLE `+AuroraUser+` LOGIN PASSWORD '`+AuroraPassword+`'`, `CREATE DATABASE `+AuroraDatabase+` OWNER `+AuroraUser)
	run(t, inside.String(), `CREATE FUNCTION aurora_version() RETURNS text LANGUAGE sql RETURN '17.5.0'`,
		`REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn(), pg_current_wal_flush_lsn(), pg_walfile_name(pg_lsn) FROM PUBLIC`)
	return s
}

func run(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing hangs on it
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
}
