// SPDX-License-Identifier: Apache-2.0

//go:build engines

package database

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// aurora is the source for a server that is said to be an Aurora.
func aurora(url string) Source {
	return func() (Settings, error) {
		s, err := URL(url)()
		if err != nil {
			return s, err
		}
		return harden(s.ConnConfig, Aurora), nil
	}
}

// A server that only is said to be an Aurora is not written to. One that is, is asked for nothing that an Aurora lacks;
// and the connections to a writer that restarted are left for its successor's.
func TestAurora(t *testing.T) {
	ctx := t.Context()
	server := engines.PostgresServer(t)
	none, err := Pool(ctx, aurora(server.URL), "test", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if err := none.Ping(ctx); err == nil {
		t.Error("a PostgreSQL with a disk of its own is taken for an Aurora")
	}
	owner, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	// What Aurora has, and what it lacks, to a user without rights.
	if _, err := owner.Exec(ctx, `CREATE FUNCTION aurora_version() RETURNS text LANGUAGE sql RETURN '17.5.0';
		REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn(), pg_walfile_name(pg_lsn) FROM PUBLIC;
		CREATE ROLE program LOGIN; CREATE TABLE kept (n int); GRANT INSERT, SELECT ON kept TO program`); err != nil {
		t.Fatal(err)
	}
	if err := owner.Close(ctx); err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.User = "program"
	pool, err := Pool(ctx, func() (Settings, error) { return harden(config.Copy(), Aurora), nil }, "test", 4)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	insert := func() error {
		return Transaction(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO kept VALUES (1)`)
			return err
		})
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	held, err := pool.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := Superseded(held.Conn()); err != nil {
		t.Error(err)
	}
	server.Kill()
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	if err := Superseded(held.Conn()); !errors.Is(err, ErrSuperseded) {
		t.Errorf("a connection to the writer before: %v", err)
	}
	held.Release()
}
