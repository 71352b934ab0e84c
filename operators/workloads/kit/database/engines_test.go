// SPDX-License-Identifier: Apache-2.0

//go:build engines

package database

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// A commit whose wait for the standbys is cut short is no success.
func TestCommitWithoutStandbys(t *testing.T) {
	ctx := t.Context()
	pool, err := Pool(ctx, URL(engines.Postgres(t)), "test", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	run := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	insert := func() error {
		return Transaction(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO kept VALUES (1)`)
			return err
		})
	}
	run(`CREATE TABLE kept (n int)`)
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	run(`ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (nobody)'`)
	run(`SELECT pg_reload_conf()`)
	// Until the server has read its settings, commits wait for nobody.
	for {
		done := make(chan error, 1)
		go func() { done <- insert() }()
		for cancelled := false; !cancelled && len(done) == 0; {
			err := pool.QueryRow(ctx, `SELECT count(pg_cancel_backend(pid)) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&cancelled)
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; errors.Is(err, ErrDoubt) {
			return
		} else if err != nil {
			t.Fatalf("a commit whose wait was cut short: %v", err)
		}
		var waits bool
		if err := pool.QueryRow(ctx, `SELECT count(*) > 100 FROM kept`).Scan(&waits); err != nil || waits {
			t.Fatalf("commits without a standby succeed (%v)", err)
		}
	}
}

// A connection to a primary that has a successor is given out no more, and a read that it
// was in the middle of does not count.
func TestFormerPrimaryIsLeft(t *testing.T) {
	ctx := t.Context()
	config, err := pgxpool.ParseConfig(engines.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	seen := &terms{}
	seen.watch(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	// What it asks a server needs no rights.
	if _, err := pool.Exec(ctx, `CREATE ROLE program; SET ROLE program; SELECT system_identifier, pg_walfile_name(pg_current_wal_lsn()) FROM pg_control_system(); RESET ROLE`); err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(ctx, `SELECT 1`)
	if err != nil {
		t.Fatal(err)
	}
	if seen.newest != 1 || seen.database == 0 || Superseded(rows.Conn()) != nil {
		t.Errorf("a new server: %+v, %v", seen, Superseded(rows.Conn()))
	}
	seen.see(seen.database, 2)
	if err := Superseded(rows.Conn()); !errors.Is(err, ErrSuperseded) {
		t.Errorf("a read of the former primary: %v", err)
	}
	rows.Close()
	if _, err := pool.Exec(ctx, `SELECT 1`); !errors.Is(err, ErrSuperseded) {
		t.Errorf("another one: %v", err)
	}
}
