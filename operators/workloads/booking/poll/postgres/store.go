// SPDX-License-Identifier: Apache-2.0

// Package postgres keeps the evening poll's slots and progress in the booking database (schema booking; its tables are
// made by package store's migrations).
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
)

// pollLock is the advisory lock of the replica that polls: "ers-poll" in ASCII.
const pollLock = 0x6572732d706f6c6c

// keepEvenings is how many evenings' progress is kept: a week tells who is never reached.
const keepEvenings = 7

// Store implements poll.Store.
type Store struct{ pool *pgxpool.Pool }

// New makes a store on the booking service's pool. A hold keeps one of its connections for as long as the poll runs.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Begin implements poll.Store.
func (s *Store) Begin(ctx context.Context, evening string) (poll.Hold, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	h, err := s.begin(ctx, conn, evening)
	if err != nil {
		// Closing is the one sure way to give the lock up, if it was got.
		_ = conn.Hijack().Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return h, nil
}

func (s *Store) begin(ctx context.Context, conn *pgxpool.Conn, evening string) (*hold, error) {
	var got bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(pollLock)).Scan(&got); err != nil {
		return nil, err
	}
	if !got {
		return nil, poll.ErrElsewhere
	}
	if _, err := conn.Exec(ctx, `DELETE FROM booking.poll_runs WHERE evening < $1::date - $2::int`, evening, keepEvenings); err != nil {
		return nil, err
	}
	// The holder is new with every hold: whoever held the evening before can write no more.
	var holder string
	err := conn.QueryRow(ctx, `
		INSERT INTO booking.poll_runs (evening, holder, started) VALUES ($1::date, gen_random_uuid(), now())
		ON CONFLICT (evening) DO UPDATE SET holder = excluded.holder WHERE poll_runs.finished IS NULL
		RETURNING holder::text`, evening).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, poll.ErrDone
	}
	if err != nil {
		return nil, err
	}
	return newHold(s.pool, conn, evening, holder), nil
}

// Status implements poll.Store.
func (s *Store) Status(ctx context.Context) (poll.Status, error) {
	var status poll.Status
	err := s.pool.QueryRow(ctx, `
		WITH last AS (SELECT evening, services, finished FROM booking.poll_runs ORDER BY evening DESC LIMIT 1)
		SELECT last.evening::text, last.services,
		       (SELECT count(*) FROM booking.poll_progress p WHERE p.evening = last.evening),
		       (SELECT count(*) FROM booking.poll_progress p WHERE p.evening = last.evening AND p.outcome = $1),
		       last.finished IS NULL AND EXISTS (
		         SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
		            AND classid = ($2::bigint >> 32)::oid AND objid = ($2::bigint & 4294967295)::oid
		            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
		FROM last`, string(poll.Updated), int64(pollLock)).
		Scan(&status.LastEvening, &status.Services, &status.Asked, &status.Reached, &status.Running)
	if errors.Is(err, pgx.ErrNoRows) {
		return poll.Status{}, nil
	}
	return status, err
}

// typed tells an error about what was written from one about the database being away.
func typed(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) && (strings.HasPrefix(server.Code, "22") || strings.HasPrefix(server.Code, "23")) {
		return &poll.RejectedError{Cause: fmt.Errorf("%s (SQLSTATE %s)", server.Message, server.Code)}
	}
	return err
}
