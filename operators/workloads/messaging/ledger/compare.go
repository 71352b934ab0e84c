// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	kit "spine.nhs.uk/controlplane/operators/workloads/kit/restore"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// margin is how long before the point of a copy a message may have been numbered and yet be missing in it: a message
	// is numbered before it is committed (giveUpAfter at most), and the clocks of replicas differ.
	margin = time.Minute
	// window is how much of a ledger one query reads. A query over days would keep the server from vacuuming the
	// deliveries of those days' messages, which come and go while it runs.
	window = message.Seq(time.Hour/time.Microsecond) * message.Nodes
	// stretch is how many messages of a ledger one query reads: what the other one lacks is read while its answer waits
	// in the connection, and a server ends one from which nothing is taken for 20 seconds.
	stretch = 20_000
)

// Comparison is how a copy of a ledger differs from the ledger that it was made of, in messages. Those of deep probes
// count as any other: there are as many in a true copy.
type Comparison struct {
	// Both have the message.
	Both int64
	// OnlyFrom lack in the copy though they were accepted before its point: it is no true copy unless there are none.
	OnlyFrom int64
	// OnlyTo are in the copy alone: what was destroyed since is had back. That includes what was deleted for its age.
	OnlyTo int64
	// Differing are in both, and were changed since, which the gateway never does: what they were is had back.
	Differing int64
	// After were accepted after the point, or are complete by what was, and are not in the copy, or not with how they end.
	After int64
	// Last is the newest message of the copy; 0 when there is none.
	Last message.Seq
}

// Compare reads every message of a ledger and of its copy to a point in time, but not their bodies. It changes neither.
func Compare(ctx context.Context, from, to database.Source, until time.Time) (Comparison, error) {
	return compare(ctx, from, to, until, 0)
}

// CompareSince is Compare without what both had before the point of the copy, where nothing is written any more.
func CompareSince(ctx context.Context, from, to database.Source, until time.Time) (Comparison, error) {
	return compare(ctx, from, to, until, message.SeqAt(until.Add(-margin)))
}

func compare(ctx context.Context, from, to database.Source, until time.Time, since message.Seq) (c Comparison, err error) {
	p, err := openPair(ctx, from, to, until)
	if err != nil {
		return c, err
	}
	defer p.Close()
	first, last, err := p.span(ctx)
	if err != nil {
		return c, err
	}
	err = p.stretches(ctx, max(first, since), last, func(low, high message.Seq) error {
		return p.merge(ctx, func(f, t *found) error {
			c.count(f, t, p.floor)
			return nil
		}, allMessages, low, high)
	})
	if err != nil {
		return c, err
	}
	ahead, err := p.ahead(ctx)
	c.After += ahead
	return c, err
}

// ahead counts what was carried over ahead, without how it ends.
func (p *pair) ahead(ctx context.Context) (n int64, err error) {
	var there bool
	if err := p.To.QueryRow(ctx, `SELECT to_regclass('ledger.ahead') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, p.failed(p.To, err)
	}
	return n, p.failed(p.To, p.To.QueryRow(ctx, `SELECT count(*) FROM ledger.ahead`).Scan(&n))
}

func (c *Comparison) count(f, t *found, floor message.Seq) {
	if f.after(t, floor) {
		c.After++
	}
	switch {
	case f == nil:
		c.OnlyTo++
	case t != nil:
		c.Both++
		if f.differs(t) {
			c.Differing++
		}
	case f.seq < floor:
		c.OnlyFrom++
	}
	if t != nil {
		c.Last = t.seq
	}
}

// found is what tells whether two messages are the same.
type found struct {
	seq   message.Seq
	print []byte
	// bytes of all its bodies.
	bytes int64
	// parts that are there beyond the first, in their order, and the print of each.
	parts  []int16
	prints [][]byte
}

// after says whether the ledger accepted the message, or parts of it, after the point of the copy, which has t of it.
func (f *found) after(t *found, floor message.Seq) bool {
	if f == nil || t == nil {
		return f != nil && f.seq >= floor
	}
	return slices.ContainsFunc(f.parts, func(part int16) bool { return !slices.Contains(t.parts, part) })
}

// differs says whether what the copy has of the message is no longer so.
func (f *found) differs(t *found) bool {
	if !bytes.Equal(f.print, t.print) {
		return true
	}
	for i, part := range t.parts {
		if at := slices.Index(f.parts, part); at < 0 || !bytes.Equal(f.prints[at], t.prints[i]) {
			return true
		}
	}
	return false
}

// Bodies are told by the hashes that were made when they came, and by their lengths, which the server knows without
// reading them.
const (
	prints = `SELECT m.seq, sha256(convert_to(ROW(m.size, m.parts, m.flags, m.sender, m.recipient, m.interaction, m.request_id,
			m.local_id, m.hash, m.extra, octet_length(m.body))::text, 'UTF8')), m.size + coalesce(p.size, 0), p.parts, p.prints
		FROM ledger.message m LEFT JOIN LATERAL (
			SELECT sum(octet_length(p.body)) AS size, array_agg(p.part ORDER BY p.part) AS parts,
				array_agg(p.hash || convert_to(octet_length(p.body)::text, 'UTF8') ORDER BY p.part) AS prints
			FROM ledger.part p WHERE m.parts > 1 AND p.seq = m.seq AND p.seq >= $1 AND p.seq < $2) p ON true
		WHERE m.seq >= $1 AND m.seq < $2`
	allMessages   = prints + ` ORDER BY m.seq`
	theseMessages = prints + ` AND m.seq = ANY ($3::bigint[]) ORDER BY m.seq`
)

// pair is a ledger and its copy.
type pair struct {
	*database.Pair
	// floor is the first number that may be missing in a true copy.
	floor message.Seq
	// stretch bounds the messages that one query reads of each.
	stretch int
}

// connections of each pool: one reads prints while another copies.
const connections = 2

func openPair(ctx context.Context, from, to database.Source, until time.Time) (*pair, error) {
	both, err := database.OpenPair(ctx, ordered(from), ordered(to), kit.Names, "message-gateway-restore", connections)
	if err != nil {
		return nil, err
	}
	return &pair{Pair: both, floor: message.SeqAt(until.Add(-margin)), stretch: stretch}, nil
}

// ordered adds settings for statements that go by keys, in their order: a sort would write the bodies of an hour to the
// disk, as they lie in the rows.
func ordered(source database.Source) database.Source {
	return planned(keyed(source), "enable_sort")
}

// span is the first and the last number of both; 1 and 0 when both are empty.
func (p *pair) span(ctx context.Context) (first, last message.Seq, err error) {
	for _, pool := range []*pgxpool.Pool{p.From, p.To} {
		var low, high *message.Seq
		if err := pool.QueryRow(ctx, `SELECT min(seq), max(seq) FROM ledger.message`).Scan(&low, &high); err != nil {
			return 0, 0, p.failed(pool, err)
		}
		if low == nil {
			continue
		}
		if last == 0 {
			first = *low
		}
		first, last = min(first, *low), max(last, *high)
	}
	return cmp.Or(first, 1), last, nil
}

func (p *pair) failed(pool *pgxpool.Pool, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the ledger of %s: %w", p.Name(pool), err)
}

// stretches goes over the numbers from first to last in parts, of which neither ledger has more than it may read at once.
func (p *pair) stretches(ctx context.Context, first, last message.Seq, see func(low, high message.Seq) error) error {
	for low := first; low <= last; {
		high := min(low+window, last+1)
		for _, pool := range []*pgxpool.Pool{p.From, p.To} {
			var full message.Seq
			err := pool.QueryRow(ctx, `SELECT seq FROM ledger.message WHERE seq >= $1 AND seq < $2 ORDER BY seq OFFSET $3 LIMIT 1`, low, high, p.stretch).Scan(&full)
			switch {
			case err == nil:
				high = full
			case !errors.Is(err, pgx.ErrNoRows):
				return p.failed(pool, err)
			}
		}
		if err := see(low, high); err != nil {
			return err
		}
		low = high
	}
	return nil
}

// merge goes through the messages that a query finds in either, in their order, with nil for the one that lacks it. It
// holds one row of each at a time.
func (p *pair) merge(ctx context.Context, see func(f, t *found) error, query string, args ...any) error {
	from, to := reader{pair: p, pool: p.From}, reader{pair: p, pool: p.To}
	for _, r := range []*reader{&from, &to} {
		if err := r.open(ctx, query, args); err != nil {
			return err
		}
		defer r.rows.Close()
	}
	for from.row != nil || to.row != nil {
		f, t := from.row, to.row
		if f != nil && t != nil && f.seq < t.seq {
			t = nil
		} else if f != nil && t != nil && t.seq < f.seq {
			f = nil
		}
		if err := see(f, t); err != nil {
			return err
		}
		if f != nil {
			if err := from.next(); err != nil {
				return err
			}
		}
		if t != nil {
			if err := to.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader reads one side of a merge.
type reader struct {
	pair *pair
	pool *pgxpool.Pool
	rows pgx.Rows
	// row is nil at the end.
	row *found
}

func (r *reader) open(ctx context.Context, query string, args []any) (err error) {
	if r.rows, err = r.pool.Query(ctx, query, args...); err != nil {
		return r.pair.failed(r.pool, err)
	}
	return r.next()
}

func (r *reader) next() error {
	r.row = nil
	if !r.rows.Next() {
		// What a former primary still holds is not all that was acknowledged.
		return r.pair.failed(r.pool, cmp.Or(r.rows.Err(), database.Superseded(r.rows.Conn())))
	}
	var f found
	if err := r.rows.Scan(&f.seq, &f.print, &f.bytes, &f.parts, &f.prints); err != nil {
		r.rows.Close()
		return r.pair.failed(r.pool, err)
	}
	r.row = &f
	return nil
}
