// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// heartbeat is how often the connection that holds the lock is tried, and how long it may take to answer.
const heartbeat = 5 * time.Second

// hold implements poll.Hold.
type hold struct {
	pool    *pgxpool.Pool
	conn    *pgxpool.Conn // holds the lock, and is used by beat alone
	evening string
	holder  string
	lost    chan struct{}
	stop    context.CancelFunc
	beating sync.WaitGroup
}

func newHold(pool *pgxpool.Pool, conn *pgxpool.Conn, evening, holder string) *hold {
	ctx, stop := context.WithCancel(context.Background())
	h := &hold{pool: pool, conn: conn, evening: evening, holder: holder, lost: make(chan struct{}), stop: stop}
	h.beating.Go(func() { h.beat(ctx) })
	return h
}

// beat notices that the connection broke, and with it the lock.
func (h *hold) beat(ctx context.Context) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, heartbeat)
		_, err := h.conn.Exec(asking, `SELECT 1`)
		cancel()
		if err != nil && ctx.Err() == nil {
			close(h.lost)
			return
		}
	}
}

// Lost implements poll.Hold.
func (h *hold) Lost() <-chan struct{} { return h.lost }

// Release implements poll.Hold. The server gives the lock up with the connection, but only once it has noticed; unlocking
// first lets another replica have it at once.
func (h *hold) Release() {
	h.stop()
	h.beating.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
	defer cancel()
	conn := h.conn.Hijack()
	_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, int64(pollLock))
	_ = conn.Close(ctx)
}

// Pending implements poll.Hold.
func (h *hold) Pending(ctx context.Context, limit int) ([]poll.Target, error) {
	var targets []poll.Target
	err := h.fenced(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT s.id, s.endpoint FROM booking.services s
			WHERE s.active AND s.endpoint <> '' AND NOT s.probe
			  AND NOT EXISTS (SELECT 1 FROM booking.poll_progress p WHERE p.evening = $1::date AND p.service_id = s.id)
			ORDER BY md5(s.id::text || $1::text)
			LIMIT greatest($2::int - (SELECT count(*) FROM booking.poll_progress p WHERE p.evening = $1::date), 0)`, h.evening, limit)
		if err != nil {
			return err
		}
		targets, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t poll.Target, err error) {
			return t, row.Scan(&t.Service, &t.Endpoint)
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE booking.poll_runs SET services = $2 + (SELECT count(*) FROM booking.poll_progress p WHERE p.evening = $1::date)
			WHERE evening = $1::date`, h.evening, len(targets))
		return err
	})
	return targets, err
}

// Apply implements poll.Hold.
func (h *hold) Apply(ctx context.Context, period provider.Period, results []poll.Result) error {
	b := columns(results)
	return typed(h.fenced(ctx, func(tx pgx.Tx) error {
		// A slot that a booking holds (TAKEN) is left alone. Unchanged ones are not written: most are, every evening.
		// Rows are locked in the order of the key, so that two transactions never wait for each other.
		if _, err := tx.Exec(ctx, `
			INSERT INTO booking.slots AS s (service_id, reference, starts, ends)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS o(service_id, reference, starts, ends)
			ORDER BY service_id, reference
			ON CONFLICT (service_id, reference) DO UPDATE SET starts = excluded.starts, ends = excluded.ends, state = 'FREE'
			WHERE (s.state = 'FREE' AND (s.starts, s.ends) IS DISTINCT FROM (excluded.starts, excluded.ends))
			   OR (s.state = 'WITHDRAWN' AND NOT EXISTS (
			         SELECT 1 FROM booking.appointments a WHERE a.slot_id = s.id AND a.state IN ('PENDING', 'BOOKED')))`,
			b.service, b.reference, b.starts, b.ends); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			UPDATE booking.slots s SET state = 'WITHDRAWN'
			WHERE s.service_id = ANY ($1::bigint[]) AND s.state = 'FREE' AND s.starts >= $2 AND s.starts < $3
			  AND (s.service_id, s.reference) NOT IN (SELECT * FROM unnest($4::bigint[], $5::text[]))`,
			b.updated, period.From, period.To, b.service, b.reference); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO booking.poll_progress (evening, service_id, outcome, attempts, at)
			SELECT $1::date, * FROM unnest($2::bigint[], $3::text[], $4::int[], $5::timestamptz[])
			ON CONFLICT (evening, service_id) DO UPDATE SET outcome = excluded.outcome, attempts = excluded.attempts, at = excluded.at`,
			h.evening, b.asked, b.outcome, b.attempts, b.at)
		return err
	}))
}

// Finish implements poll.Hold.
func (h *hold) Finish(ctx context.Context) error {
	return h.fenced(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE booking.poll_runs SET finished = now() WHERE evening = $1::date`, h.evening)
		return err
	})
}

// fenced runs work in a transaction that only the present holder can commit: the row stays locked until then.
func (h *hold) fenced(ctx context.Context, work func(tx pgx.Tx) error) error {
	return database.Transaction(ctx, h.pool, func(tx pgx.Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM booking.poll_runs WHERE evening = $1::date AND holder = $2::uuid FOR NO KEY UPDATE`, h.evening, h.holder).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			return poll.ErrFenced
		}
		if err != nil {
			return err
		}
		return work(tx)
	})
}

// columnsOf are results as columns: one statement stores a whole batch.
type columnsOf struct {
	// One per slot.
	service   []int64
	reference []string
	starts    []time.Time
	ends      []time.Time
	// One per result.
	asked    []int64
	outcome  []string
	attempts []int32
	at       []time.Time
	// One per service whose slots are known.
	updated []int64
}

func columns(results []poll.Result) columnsOf {
	var b columnsOf
	for _, r := range results {
		b.asked = append(b.asked, r.Service)
		b.outcome = append(b.outcome, string(r.Outcome))
		b.attempts = append(b.attempts, int32(r.Attempts))
		b.at = append(b.at, r.At)
		if r.Outcome != poll.Updated {
			continue
		}
		b.updated = append(b.updated, r.Service)
		for _, slot := range r.Slots {
			b.service = append(b.service, r.Service)
			b.reference = append(b.reference, slot.ID)
			b.starts = append(b.starts, slot.Start)
			b.ends = append(b.ends, slot.End)
		}
	}
	return b
}
