// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Ref names a message in its lane.
type Ref struct {
	Lane string
	Seq  message.Seq
}

// settlement is what one caller settles together.
type settlement struct {
	refs []Ref
	// since is when it was asked for, in nanoseconds since 1970.
	since int64
	done  chan error
	// gone says of each ref whether it was unsettled until now.
	gone []bool
}

const (
	// settlers is the number of connections that commit settlements side by side.
	settlers = 2
	// settleBatch bounds the references of one of their commits, but for those of its last caller.
	settleBatch = 2000
	// settleSpacing is the time between the beginnings of two of their commits: nobody waits for a settlement as a
	// sender waits for an acknowledgement.
	settleSpacing = 100 * time.Millisecond
)

// Settle takes messages off their lanes for good, with one durable commit. The result says of each whether it was
// still there; one that was not has been settled before, or was never in that lane.
func (l *Ledger) Settle(ctx context.Context, refs []Ref) ([]bool, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	s := &settlement{refs: refs, since: time.Now().UnixNano(), done: make(chan error, 1), gone: make([]bool, len(refs))}
	select {
	case l.settling.queue <- s:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.stop:
		return nil, message.ErrDraining
	}
	select {
	case err := <-s.done:
		return s.gone, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// settleLoop is a settler: it commits what is to be settled, batch by batch, on its own connection.
func (l *Ledger) settleLoop(h *hand) {
	s := &session{source: keyed(l.config.Database), prepare: prepareSettle}
	defer s.close()
	for batch := l.settling.next(l.stop); batch != nil; batch = l.settling.next(l.stop) {
		h.since.Store(batch[0].since)
		err := l.settleBatch(s, batch)
		h.since.Store(0)
		for _, b := range batch {
			b.done <- err
		}
	}
}

// deleteSettled goes by one lane at a time: with the lanes as a second array, a plan made while the table was empty
// reads all of the table for each reference, and stays when the table has filled.
const deleteSettled = `WITH gone AS (
		DELETE FROM ledger.delivery WHERE lane = $1 AND seq = ANY ($2) RETURNING seq, flags
	), o AS (
		INSERT INTO ledger.outcome (seq, at) SELECT seq, $3 FROM gone WHERE flags & $4::smallint <> 0 ON CONFLICT DO NOTHING
	) SELECT seq FROM gone`

const statementSettle = "settle"

func prepareSettle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Prepare(ctx, statementSettle, deleteSettled)
	return err
}

func (l *Ledger) settleBatch(on *session, batch []*settlement) error {
	var refs []Ref
	for _, b := range batch {
		refs = append(refs, b.refs...)
	}
	gone := make(map[Ref]struct{}, len(refs))
	err := l.retry(func(ctx context.Context) error {
		return on.with(ctx, func(conn *pgx.Conn) error { return settleOn(ctx, conn, refs, l.config.Now(), gone) })
	})
	if err != nil {
		return err
	}
	for _, b := range batch {
		for i, ref := range b.refs {
			_, b.gone[i] = gone[ref]
		}
	}
	l.settled.Add(int64(len(gone)))
	return nil
}

// settleOn settles with one commit, and adds to gone what was unsettled until now.
func settleOn(ctx context.Context, conn *pgx.Conn, refs []Ref, now time.Time, gone map[Ref]struct{}) error {
	var statements pgx.Batch
	for lane, seqs := range byLane(refs) {
		statements.Queue(statementSettle, lane, seqs, now, FlagTracked).Query(func(rows pgx.Rows) error {
			var seq message.Seq
			_, err := pgx.ForEachRow(rows, []any{&seq}, func() error { gone[Ref{lane, seq}] = struct{}{}; return nil })
			return err
		})
	}
	// Statements that are sent together are one transaction.
	return conn.SendBatch(ctx, &statements).Close()
}

// byLane goes through references lane by lane, in one order everywhere: two transactions with the same ones then wait
// for each other rather than deadlock.
func byLane(refs []Ref) iter.Seq2[string, []message.Seq] {
	lanes := map[string][]message.Seq{}
	for _, r := range refs {
		lanes[r.Lane] = append(lanes[r.Lane], r.Seq)
	}
	return func(yield func(string, []message.Seq) bool) {
		for _, lane := range slices.Sorted(maps.Keys(lanes)) {
			if slices.Sort(lanes[lane]); !yield(lane, lanes[lane]) {
				return
			}
		}
	}
}

// retry repeats what may be repeated without harm while the database changes its primary, for a few seconds.
func (l *Ledger) retry(do func(context.Context) error) error {
	deadline := time.Now().Add(giveUpAfter)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
		err := do(ctx)
		cancel()
		l.reach(err)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || !retryable(err) {
			return unavailable(err)
		}
		time.Sleep(250 * time.Millisecond)
	}
}
