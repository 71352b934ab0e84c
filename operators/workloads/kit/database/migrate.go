// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Migrate creates a schema and runs the files *.sql of a file system that have not run yet, in the order of their
// names, each in its own transaction. Replicas that start together take turns by the advisory lock.
func Migrate(ctx context.Context, conn *pgx.Conn, schema string, lock int64, files fs.FS) error {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, lock); err != nil {
		return fmt.Errorf("waiting for the turn to migrate: %w", err)
	}
	// When this fails the session is lost, and the lock with it.
	defer conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lock) //nolint:errcheck
	name := pgx.Identifier{schema}.Sanitize()
	_, err := conn.Exec(ctx, fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS %[1]s;
		CREATE TABLE IF NOT EXISTS %[1]s.migration (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`, name))
	if err != nil {
		return fmt.Errorf("creating schema %s (the user needs CREATE on the database): %w", schema, err)
	}
	paths, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	for _, file := range paths {
		if err := step(ctx, conn, name, files, file); err != nil {
			return err
		}
	}
	return nil
}

func step(ctx context.Context, conn *pgx.Conn, schema string, files fs.FS, file string) error {
	name := strings.TrimSuffix(path.Base(file), ".sql")
	var done bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+schema+`.migration WHERE name = $1)`, name).Scan(&done)
	if err != nil || done {
		return err
	}
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO `+schema+`.migration (name) VALUES ($1)`, name)
		return err
	})
}
