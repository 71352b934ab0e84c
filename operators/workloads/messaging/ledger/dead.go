// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Dead is a dead letter.
type Dead struct {
	ID          string    `json:"id"`
	Supplier    string    `json:"supplier"`
	Lane        string    `json:"lane"`
	Sender      string    `json:"sender"`
	Recipient   string    `json:"recipient"`
	Interaction string    `json:"interaction"`
	Reason      string    `json:"reason"`
	Attempts    int       `json:"attempts"`
	At          time.Time `json:"at"`
}

// Bury takes a message off its lane to the supplier's dead letters; durable when it returns. False: it was not there.
func (l *Ledger) Bury(ctx context.Context, ref Ref, attempts int, supplier, reason string) (bool, error) {
	done, err := l.pool.Exec(ctx, `WITH gone AS (DELETE FROM ledger.delivery WHERE lane = $1 AND seq = $2 RETURNING lane, seq, flags)
		INSERT INTO ledger.dead (seq, lane, flags, attempts, supplier, reason, at)
		SELECT seq, lane, flags, $3, $4, $5, $6 FROM gone ON CONFLICT (seq) DO NOTHING`,
		ref.Lane, ref.Seq, attempts, supplier, reason, l.config.Now())
	return done.RowsAffected() > 0, unavailable(err)
}

// Abandon takes a message of an express pattern off its lane: its contract knows no dead letter, only a report.
func (l *Ledger) Abandon(ctx context.Context, ref Ref, reason string) (bool, error) {
	done, err := l.pool.Exec(ctx, `WITH gone AS (DELETE FROM ledger.delivery WHERE lane = $1 AND seq = $2 RETURNING seq)
		INSERT INTO ledger.outcome (seq, at, reason) SELECT seq, $3, $4 FROM gone ON CONFLICT (seq) DO NOTHING`,
		ref.Lane, ref.Seq, l.config.Now(), reason)
	return done.RowsAffected() > 0, unavailable(err)
}

// DeadCounts counts dead letters by supplier.
func (l *Ledger) DeadCounts(ctx context.Context) (map[string]int64, error) {
	rows, err := l.pool.Query(ctx, `SELECT supplier, count(*) FROM ledger.dead GROUP BY supplier`)
	if err != nil {
		return nil, unavailable(err)
	}
	counts := map[string]int64{}
	var supplier string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&supplier, &n}, func() error { counts[supplier] = n; return nil })
	return counts, unavailable(err)
}

// DeadLetters lists a supplier's dead letters above a number, oldest first.
func (l *Ledger) DeadLetters(ctx context.Context, supplier string, after message.Seq, max int) ([]Dead, error) {
	rows, err := l.pool.Query(ctx, `SELECT x.seq, x.supplier, x.lane, m.sender, m.recipient, m.interaction, x.reason, x.attempts, x.at
		FROM ledger.dead x JOIN ledger.message m ON m.seq = x.seq
		WHERE x.supplier = $1 AND x.seq > $2 ORDER BY x.seq LIMIT $3`, supplier, after, max)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (d Dead, err error) {
		var seq message.Seq
		err = r.Scan(&seq, &d.Supplier, &d.Lane, &d.Sender, &d.Recipient, &d.Interaction, &d.Reason, &d.Attempts, &d.At)
		d.ID, d.At = seq.String(), d.At.UTC()
		return d, err
	})
	return found, unavailable(err)
}

// Revive puts dead letters of a supplier back into their lanes, with their attempts forgotten and due at once: all of
// them when seqs is empty, else those. It does up to max and returns what it put back.
func (l *Ledger) Revive(ctx context.Context, supplier string, seqs []message.Seq, max int) ([]Ref, error) {
	rows, err := l.pool.Query(ctx, `WITH gone AS (
		DELETE FROM ledger.dead WHERE seq = ANY (ARRAY(
			SELECT seq FROM ledger.dead WHERE supplier = $1 AND (cardinality($2::bigint[]) = 0 OR seq = ANY ($2)) ORDER BY seq LIMIT $3
		)) RETURNING lane, seq, flags
	) INSERT INTO ledger.delivery (lane, seq, flags, attempts, next_at)
	SELECT lane, seq, flags, 0, CASE WHEN flags & $5::smallint <> 0 THEN $4::timestamptz END FROM gone RETURNING lane, seq`,
		supplier, append([]message.Seq{}, seqs...), max, l.config.Now(), FlagDispatched)
	if err != nil {
		return nil, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
	return found, unavailable(err)
}
