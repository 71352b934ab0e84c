// SPDX-License-Identifier: Apache-2.0

// Package store keeps bookings in PostgreSQL. Every change is one transaction
// that holds the change itself, its idempotency key, its audit row and the
// events it causes. That no slot is booked twice is a unique index (see
// migrations), not a check in this code.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Store is the database. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	engine  database.Engine
	now     func() time.Time
	waiting func(error)
}

// Options say how to reach the database.
type Options struct {
	// Source gives the settings of each new connection.
	Source database.Source
	// Connections is the most that are opened, 2 to 64.
	Connections int
	// Now is the clock.
	Now func() time.Time
	// Waiting is told why the database cannot be used yet, each second; nil: nobody is.
	Waiting func(error)
}

// Open makes the pool and brings the schema up to date. It waits for the
// database until ctx ends.
func Open(ctx context.Context, o Options) (*Store, error) {
	engine, err := o.Source.Engine()
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	pool, err := database.Pool(ctx, bounded(o.Source), "booking-service", o.Connections)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	s := &Store{pool: pool, engine: engine, now: o.Now, waiting: o.Waiting}
	if err := s.migrateUntil(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// bounded adds limits to every connection: nothing that people wait for may
// take longer, and no lock outlives a replica that hangs.
func bounded(source database.Source) database.Source {
	return func() (database.Settings, error) {
		c, err := source()
		if err != nil {
			return c, err
		}
		for name, value := range map[string]string{
			"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "15s", "timezone": "UTC",
		} {
			c.RuntimeParams[name] = value
		}
		return c, nil
	}
}

// Pool is the connection pool, for packages that keep their own tables in the
// same schema (poll).
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Close ends all connections.
func (s *Store) Close() { s.pool.Close() }

// Ping reports whether the database answers and can be written to.
func (s *Store) Ping(ctx context.Context) error {
	var readOnly bool
	if err := s.pool.QueryRow(ctx, `SELECT pg_is_in_recovery()`).Scan(&readOnly); err != nil {
		return unavailable(err)
	}
	if readOnly {
		return &domain.OverloadedError{RetryAfter: retryAfter}
	}
	return nil
}

// retryAfter is what callers are told while the database is away. A failover
// takes tens of seconds; clients back off from there by themselves.
const retryAfter = 2 * time.Second

// transaction runs work in one transaction. It fails when the commit may be on no standby.
func (s *Store) transaction(ctx context.Context, work func(tx pgx.Tx) error) error {
	return unavailable(database.Transaction(ctx, s.pool, work))
}

// unavailable turns what a caller can only wait out into *domain.OverloadedError
// and leaves every other error as it is.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	if code := sqlState(err); code != "" {
		switch code {
		case "25006", // read-only: a failover is under way
			"53300",                            // too many connections
			"55P03",                            // a row lock was not granted in time
			"57P01", "57P02", "57P03", "57P05", // the server stops or starts
			"40001", "40P01": // serialisation, deadlock
			return errors.Join(&domain.OverloadedError{RetryAfter: retryAfter}, err)
		}
		return err
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.Is(err, database.ErrDoubt) || errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		pgconn.SafeToRetry(err) || pgconn.Timeout(err) || closedUnderneath(err) {
		return errors.Join(&domain.OverloadedError{RetryAfter: retryAfter}, err)
	}
	return err
}

// closedUnderneath: the server or the network closed the connection while a
// statement ran.
func closedUnderneath(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "conn closed")
}

func sqlState(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// violated names the constraint or index that a statement ran into.
func violated(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "23505" {
		return server.ConstraintName
	}
	return ""
}

// missing turns "no rows" into domain.ErrNotFound.
func missing(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.ErrNotFound
	}
	return unavailable(err)
}
