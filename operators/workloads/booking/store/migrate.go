// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock under which one replica migrates while
// the others wait. Any number does; this one is "ers-migr" in ASCII.
const migrationLock = 0x6572732d6d696772

// migrateUntil migrates, and while the database is away or lets nobody in tries again until ctx
// ends. One that has just taken over from another site's knows that one's password until its
// operator has set this site's: a program that ended then would be started again later and later.
func (s *Store) migrateUntil(ctx context.Context) error {
	for {
		err := s.migrate(ctx)
		var away *domain.OverloadedError
		var connect *pgconn.ConnectError
		if err == nil || !errors.As(unavailable(err), &away) && !errors.As(err, &connect) {
			return err
		}
		if s.waiting != nil {
			s.waiting(err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("database: %w", err)
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) migrate(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := Migrate(ctx, conn.Conn()); err != nil {
		return err
	}
	return weaken(ctx, conn.Conn())
}

// Migrate brings the schema of a database up to date.
func Migrate(ctx context.Context, conn *pgx.Conn) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	return database.Migrate(ctx, conn, "booking", migrationLock, files)
}

// SessionKey is the key that signs the pages' sessions: drawn once, and the
// same for every replica.
func (s *Store) SessionKey(ctx context.Context) (key [32]byte, err error) {
	drawn := make([]byte, len(key))
	_, _ = rand.Read(drawn) // never fails
	var kept []byte
	// Two replicas that draw at once: the later one sees the former's row only in its next statement.
	for range 2 {
		err = s.pool.QueryRow(ctx, `WITH made AS (INSERT INTO booking.session_key (id, key) VALUES (1, $1) ON CONFLICT DO NOTHING RETURNING key)
		SELECT key FROM made UNION ALL SELECT key FROM booking.session_key LIMIT 1`, drawn).Scan(&kept)
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
	}
	if err != nil {
		return key, missing(err)
	}
	copy(key[:], kept)
	return key, nil
}
