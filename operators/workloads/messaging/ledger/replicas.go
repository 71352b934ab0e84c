// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Beat tells the other replicas that this one lives and that its references up to published are with the broker.
// It adds what was acknowledged and settled since the last beat to the totals.
func (l *Ledger) Beat(ctx context.Context, published message.Seq) error {
	acknowledged, settled := l.acknowledged.Swap(0), l.settled.Swap(0)
	// Nobody's message hangs on this commit, so it does not wait for the standbys.
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ledger.replica AS r (node, published, seen, acknowledged, settled) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (node) DO UPDATE SET published = excluded.published, seen = excluded.seen,
			acknowledged = r.acknowledged + excluded.acknowledged, settled = r.settled + excluded.settled`,
			l.node, published, l.config.Now(), acknowledged, settled)
		return err
	})
	if err != nil {
		// Counted with the next beat.
		l.acknowledged.Add(acknowledged)
		l.settled.Add(settled)
	}
	l.reach(err)
	return unavailable(err)
}

// Replica is a replica of the gateway, living or not.
type Replica struct {
	Node      int
	Published message.Seq
	Seen      time.Time
}

// Replicas are all that have beaten and were not forgotten.
func (l *Ledger) Replicas(ctx context.Context) ([]Replica, error) {
	rows, err := l.pool.Query(ctx, `SELECT node, published, seen FROM ledger.replica WHERE node >= 0 ORDER BY node`)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Replica])
	return found, unavailable(err)
}

// Forget removes a dead replica; its totals go to the entry of the forgotten (-1).
func (l *Ledger) Forget(ctx context.Context, node int) error {
	_, err := l.pool.Exec(ctx, `WITH gone AS (DELETE FROM ledger.replica WHERE node = $1 RETURNING *)
		INSERT INTO ledger.replica AS r (node, published, seen, acknowledged, settled)
		SELECT -1, 0, seen, acknowledged, settled FROM gone ON CONFLICT (node) DO UPDATE
		SET acknowledged = r.acknowledged + excluded.acknowledged, settled = r.settled + excluded.settled`, node)
	return unavailable(err)
}

// Totals are counted by all replicas over all time; they lag by a beat.
type Totals struct {
	Acknowledged, Settled int64
}

// Totals reads the totals.
func (l *Ledger) Totals(ctx context.Context) (t Totals, err error) {
	err = l.pool.QueryRow(ctx, `SELECT coalesce(sum(acknowledged), 0)::bigint, coalesce(sum(settled), 0)::bigint FROM ledger.replica`).
		Scan(&t.Acknowledged, &t.Settled)
	t.Acknowledged += l.acknowledged.Load()
	t.Settled += l.settled.Load()
	return t, unavailable(err)
}

// Backlog is what is acknowledged and not settled: exact, at the cost of reading the table of deliveries.
type Backlog struct {
	Unsettled int64
	// Oldest is 0 when there is none.
	Oldest message.Seq
}

// Backlog counts it, without what lies in lanes that begin with "probe/".
func (l *Ledger) Backlog(ctx context.Context) (b Backlog, err error) {
	err = l.pool.QueryRow(ctx, `SELECT count(*), coalesce(min(seq), 0) FROM ledger.delivery WHERE lane NOT LIKE 'probe/%'`).
		Scan(&b.Unsettled, &b.Oldest)
	return b, unavailable(err)
}

// Standbys are those of the database that receive what it writes; nil when it does not say.
func (l *Ledger) Standbys(ctx context.Context) ([]string, error) {
	names, err := replication.Standbys(ctx, l.engine, l.pool)
	return names, unavailable(err)
}

// Hold calls do while this replica holds the keeper's lock; do asks alive before each thing it does, whose error means
// that the lock may be gone. It returns at once with false when another replica has the lock.
func (l *Ledger) Hold(ctx context.Context, do func(ctx context.Context, alive func(context.Context) error) error) (bool, error) {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return false, unavailable(err)
	}
	defer conn.Release()
	var ours bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, lockKeeper).Scan(&ours); err != nil || !ours {
		return false, unavailable(err)
	}
	err = do(ctx, conn.Ping)
	// The session goes with the lock: a lock left on a pooled connection would be nobody's and held for ever.
	_ = conn.Conn().Close(context.WithoutCancel(ctx))
	return true, err
}
