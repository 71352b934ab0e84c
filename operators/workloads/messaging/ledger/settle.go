// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
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
	done chan error
	// gone says of each ref whether it was unsettled until now.
	gone []bool
}

// settleBatch bounds one commit of settlements.
const settleBatch = 2000

// Settle takes messages off their lanes for good, with one durable commit. The result says of each whether it was
// still there; one that was not has been settled before, or was never in that lane.
func (l *Ledger) Settle(ctx context.Context, refs []Ref) ([]bool, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	s := &settlement{refs: refs, done: make(chan error, 1), gone: make([]bool, len(refs))}
	select {
	case l.settle <- s:
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

func (l *Ledger) settleLoop() {
	for {
		var first *settlement
		select {
		case first = <-l.settle:
		case <-l.stop:
			select {
			case first = <-l.settle:
			default:
				return
			}
		}
		batch, n := []*settlement{first}, len(first.refs)
	collect:
		for n < settleBatch {
			select {
			case s := <-l.settle:
				batch, n = append(batch, s), n+len(s.refs)
			default:
				break collect
			}
		}
		err := l.settleBatch(batch)
		for _, s := range batch {
			s.done <- err
		}
	}
}

// spot is where a ref came from.
type spot struct {
	ref  Ref
	from *settlement
	at   int
}

func (l *Ledger) settleBatch(batch []*settlement) error {
	var spots []spot
	for _, s := range batch {
		for i, ref := range s.refs {
			spots = append(spots, spot{ref, s, i})
		}
	}
	// In one order everywhere, so that two batches with the same refs cannot wait for each other.
	slices.SortFunc(spots, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.ref.Lane, b.ref.Lane), cmp.Compare(a.ref.Seq, b.ref.Seq))
	})
	lanes, seqs := make([]string, len(spots)), make([]int64, len(spots))
	for i, s := range spots {
		lanes[i], seqs[i] = s.ref.Lane, int64(s.ref.Seq)
	}
	gone := make(map[message.Seq]struct{}, len(spots))
	err := l.retry(func(ctx context.Context) error {
		rows, err := l.pool.Query(ctx, `WITH gone AS (
			DELETE FROM ledger.delivery d USING unnest($1::text[], $2::bigint[]) AS s(lane, seq)
			WHERE d.lane = s.lane AND d.seq = s.seq RETURNING d.seq, d.flags
		), o AS (
			INSERT INTO ledger.outcome (seq, at) SELECT seq, $3 FROM gone WHERE flags & $4::smallint <> 0 ON CONFLICT DO NOTHING
		) SELECT seq FROM gone`, lanes, seqs, l.config.Now(), FlagTracked)
		if err != nil {
			return err
		}
		var seq message.Seq
		_, err = pgx.ForEachRow(rows, []any{&seq}, func() error { gone[seq] = struct{}{}; return nil })
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range spots {
		_, s.from.gone[s.at] = gone[s.ref.Seq]
	}
	l.settled.Add(int64(len(gone)))
	return nil
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
