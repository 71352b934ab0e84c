// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Lanes lists the lanes with something unsettled; it steps from lane to lane by the index.
func (l *Ledger) Lanes(ctx context.Context) ([]string, error) {
	rows, err := l.pool.Query(ctx, `WITH RECURSIVE t AS (
		(SELECT lane FROM ledger.delivery ORDER BY lane LIMIT 1)
		UNION ALL SELECT (SELECT lane FROM ledger.delivery WHERE lane > t.lane ORDER BY lane LIMIT 1) FROM t WHERE t.lane IS NOT NULL
	) SELECT lane FROM t WHERE lane IS NOT NULL`)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return found, unavailable(err)
}

// Unsettled reads up to max numbers of a lane above after, and at most until, that wait for no retry.
func (l *Ledger) Unsettled(ctx context.Context, lane string, after, until message.Seq, max int) ([]message.Seq, error) {
	rows, err := l.pool.Query(ctx, `SELECT seq FROM ledger.delivery
		WHERE lane = $1 AND seq > $2 AND seq <= $3 AND next_at IS NULL ORDER BY seq LIMIT $4`, lane, after, until, max)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[message.Seq])
	return found, unavailable(err)
}

// Waiting reads which of the references are to messages that the ledger holds and that wait for no retry.
func (l *Ledger) Waiting(ctx context.Context, refs []Ref) ([]Ref, error) {
	var found []Ref
	for lane, seqs := range byLane(refs) {
		rows, err := l.pool.Query(ctx, `SELECT lane, seq FROM ledger.delivery WHERE lane = $1 AND seq = ANY ($2) AND next_at IS NULL`, lane, seqs)
		if err != nil {
			return nil, unavailable(err)
		}
		some, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
		if err != nil {
			return nil, unavailable(err)
		}
		found = append(found, some...)
	}
	return found, nil
}

// UnsettledOf reads what one replica accepted above after, up to until, and is not settled: at most max.
func (l *Ledger) UnsettledOf(ctx context.Context, node int, after, until message.Seq, max int) ([]Ref, error) {
	rows, err := l.pool.Query(ctx, `SELECT d.lane, m.seq FROM ledger.message m
		JOIN ledger.delivery d ON d.seq = m.seq AND d.lane IN (m.recipient, 'push/' || m.interaction)
		WHERE m.seq > $2 AND m.seq <= $3 AND m.seq & $4 = $1 AND d.flags & $6::smallint <> 0 AND d.next_at IS NULL
		ORDER BY m.seq LIMIT $5`, node, after, until, message.Nodes-1, max, FlagDispatched)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
	return found, unavailable(err)
}

// Later notes a failed attempt: the message is due again at a time, and until then no reference to it is of use.
func (l *Ledger) Later(ctx context.Context, ref Ref, attempts int, at time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE ledger.delivery SET attempts = $3, next_at = $4 WHERE lane = $1 AND seq = $2`,
		ref.Lane, ref.Seq, attempts, at)
	return unavailable(err)
}

// Due reads up to max messages whose time has come, oldest time first.
func (l *Ledger) Due(ctx context.Context, now time.Time, max int) ([]Ref, error) {
	rows, err := l.pool.Query(ctx, `SELECT lane, seq FROM ledger.delivery WHERE next_at <= $1 ORDER BY next_at LIMIT $2`, now, max)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
	return found, unavailable(err)
}

// Released notes that references to messages that were due at a time are with the broker again. One that has failed
// once more in between keeps its new time.
func (l *Ledger) Released(ctx context.Context, refs []Ref, due time.Time) error {
	return l.update(ctx, refs, `UPDATE ledger.delivery SET next_at = NULL WHERE lane = $1 AND seq = ANY ($2) AND next_at <= $3`, due)
}

// update runs a statement for each lane, with one commit; its first parameters are the lane and the numbers.
func (l *Ledger) update(ctx context.Context, refs []Ref, statement string, with any) error {
	var statements pgx.Batch
	for lane, seqs := range byLane(refs) {
		statements.Queue(statement, lane, seqs, with)
	}
	return unavailable(l.pool.SendBatch(ctx, &statements).Close())
}

// subject is read where a report repeats it.
const subject = `coalesce(convert_from(m.extra, 'UTF8')::jsonb->>'s', '')`

// Uncollected is a message that nobody took in time.
type Uncollected struct {
	Ref
	Sender, Recipient, Interaction string
	Request, Local, Subject        string
	Flags                          int16
}

// Uncollected reads up to max messages accepted before a time that their senders had no report about.
func (l *Ledger) Uncollected(ctx context.Context, before time.Time, max int) ([]Uncollected, error) {
	rows, err := l.pool.Query(ctx, `SELECT d.lane, m.seq, m.sender, m.recipient, m.interaction,
		coalesce(m.request_id, ''), coalesce(m.local_id, ''), `+subject+`, m.flags FROM ledger.delivery d JOIN ledger.message m ON m.seq = d.seq
		WHERE d.seq < $1 AND d.flags & $2::smallint = 0 ORDER BY d.seq LIMIT $3`, message.SeqAt(before), FlagReported, max)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (u Uncollected, err error) {
		return u, r.Scan(&u.Lane, &u.Seq, &u.Sender, &u.Recipient, &u.Interaction, &u.Request, &u.Local, &u.Subject, &u.Flags)
	})
	return found, unavailable(err)
}

// About reads what decides over a message that waits in a lane; false: it does not wait there.
func (l *Ledger) About(ctx context.Context, ref Ref) (u Uncollected, attempts int, found bool, err error) {
	u.Ref = ref
	err = l.pool.QueryRow(ctx, `SELECT m.sender, m.recipient, m.interaction, coalesce(m.request_id, ''), coalesce(m.local_id, ''),
		`+subject+`, m.flags, d.attempts FROM ledger.delivery d JOIN ledger.message m ON m.seq = d.seq WHERE d.lane = $1 AND d.seq = $2`, ref.Lane, ref.Seq).
		Scan(&u.Sender, &u.Recipient, &u.Interaction, &u.Request, &u.Local, &u.Subject, &u.Flags, &attempts)
	if errors.Is(err, pgx.ErrNoRows) {
		return u, 0, false, nil
	}
	return u, attempts, err == nil, unavailable(err)
}

// DropProbes removes what deep probes left behind before a time.
func (l *Ledger) DropProbes(ctx context.Context, before time.Time) error {
	_, err := l.pool.Exec(ctx, `DELETE FROM ledger.delivery WHERE lane LIKE 'probe/%' AND seq < $1`, message.SeqAt(before))
	return unavailable(err)
}

// Reported notes that the senders of these messages have their reports.
func (l *Ledger) Reported(ctx context.Context, refs []Ref) error {
	return l.update(ctx, refs, `UPDATE ledger.delivery SET flags = flags | $3::smallint WHERE lane = $1 AND seq = ANY ($2)`, FlagReported)
}

// ExpireRequests forgets up to max requests older than a time, and says how many those were.
func (l *Ledger) ExpireRequests(ctx context.Context, before time.Time, max int) (int64, error) {
	done, err := l.pool.Exec(ctx, `DELETE FROM ledger.request WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM ledger.request WHERE seq < $1 LIMIT $2))`, message.SeqAt(before), max)
	return done.RowsAffected(), unavailable(err)
}
