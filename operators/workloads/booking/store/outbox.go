// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
)

// Kinds of outbox rows.
const (
	kindEvent   = "event"   // an Event, for the message gateway
	kindRelease = "release" // a Release, for a provider's system
)

// Release asks a provider's system to give back what a booking request took.
type Release struct {
	Service      int64  `json:"service"`
	Organisation string `json:"organisation"`
	Endpoint     string `json:"endpoint"`
	Request      string `json:"request"`
}

// Entry is one outbox row. Request recognises a repetition at the receiver.
type Entry struct {
	ID       int64
	Request  string
	Body     []byte
	Created  time.Time
	Attempts int // this one included
}

// Events and Releases take entries that are due, oldest first, for the given
// lease: an entry that is not Done by then is taken again, by any replica.
func (s *Store) Events(ctx context.Context, lease time.Duration, limit int) ([]Entry, error) {
	return s.take(ctx, kindEvent, lease, limit)
}

// Releases: see Events.
func (s *Store) Releases(ctx context.Context, lease time.Duration, limit int) ([]Entry, error) {
	return s.take(ctx, kindRelease, lease, limit)
}

func (s *Store) take(ctx context.Context, kind string, lease time.Duration, limit int) ([]Entry, error) {
	now := s.now()
	rows, err := s.pool.Query(ctx, `UPDATE booking.outbox SET due = $3, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM booking.outbox WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED)
		RETURNING id, request::text, body::text, created, attempts`, kind, now, now.Add(lease), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, func(row pgx.CollectableRow) (Entry, error) {
		var e Entry
		var body string
		err := row.Scan(&e.ID, &e.Request, &body, &e.Created, &e.Attempts)
		e.Body = []byte(body)
		return e, err
	})
}

// Done deletes entries whose effect was acknowledged.
func (s *Store) Done(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.pool.Exec(ctx, `DELETE FROM booking.outbox WHERE id = ANY($1)`, ids)
	return unavailable(err)
}

// Postpone makes entries due again after a while.
func (s *Store) Postpone(ctx context.Context, ids []int64, after time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.pool.Exec(ctx, `UPDATE booking.outbox SET due = $2 WHERE id = ANY($1)`, ids, s.now().Add(after))
	return unavailable(err)
}

// Counts is how much the service holds at one moment. All are exact, but for
// Referrals, which says no more than "at least 100,000".
type Counts struct {
	Bookings            int64   // appointments that are booked and still to come
	Referrals           int64   // referrals that are not cancelled
	OutboxPending       int64   // entries whose effect is not acknowledged
	OutboxOldestSeconds float64 // age of the oldest of them; 0 when none
	OpenASI             int64   // patients that providers owe an appointment
	// Standbys that receive what the database writes; nil when it does not say.
	Standbys []string
}

// Counts counts.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.pool.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM booking.appointments WHERE state = 'BOOKED' AND starts > $1),
		(SELECT count(*) FROM (SELECT FROM booking.referrals WHERE state <> 'CANCELLED_REFERRAL' LIMIT 100000) r),
		(SELECT count(*) FROM booking.outbox),
		(SELECT coalesce(extract(epoch FROM $1 - min(created)), 0)::float8 FROM booking.outbox),
		(SELECT count(*) FROM booking.asi WHERE closed IS NULL)`, s.now()).
		Scan(&c.Bookings, &c.Referrals, &c.OutboxPending, &c.OutboxOldestSeconds, &c.OpenASI)
	if err != nil {
		return c, unavailable(err)
	}
	c.OutboxOldestSeconds = max(c.OutboxOldestSeconds, 0)
	c.Standbys, err = replication.Standbys(ctx, s.engine, s.pool)
	return c, unavailable(err)
}
