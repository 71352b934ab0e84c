// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Comparison is how a copy of a booking database differs from the one that it was made of, in referrals. Each is counted
// once.
type Comparison struct {
	// Both have the referral, alike.
	Both int64
	// OnlyFrom lack in the copy though they were last changed before its point: it is no true copy unless there are none.
	OnlyFrom int64
	// OnlyTo are in the copy alone: they were destroyed since and are had back. The program deletes no referral.
	OnlyTo int64
	// Differing are in both, not alike, and were not changed by the program since: what they were is had back.
	Differing int64
	// After were made or changed by the program after the point, and are not, or not so, in the copy.
	After int64
	// Last is when the newest change in the copy was made; zero when there is none.
	Last time.Time
}

// Compare reads every referral of a booking database and of its copy to a point in time. It changes neither.
func Compare(ctx context.Context, from, to database.Source, until time.Time) (Comparison, error) {
	return compared(ctx, from, to, until, func(p *pair, c *Comparison) error {
		return merge(ctx, p, allReferrals, scanFound, key, func(f, t *found) error {
			c.count(f, t, p.floor)
			return nil
		})
	})
}

// CompareSince is Compare of the referrals alone that the program may have changed since the point.
func CompareSince(ctx context.Context, from, to database.Source, until time.Time) (Comparison, error) {
	return compared(ctx, from, to, until, func(p *pair, c *Comparison) error {
		return p.touched(ctx, func(twins []twin) error {
			for _, w := range twins {
				c.count(w.f, w.t, p.floor)
			}
			return nil
		})
	})
}

func compared(ctx context.Context, from, to database.Source, until time.Time, work func(*pair, *Comparison) error) (c Comparison, err error) {
	p, err := openPair(ctx, from, to, until)
	if err != nil {
		return c, err
	}
	defer p.Close()
	if err := work(p, &c); err != nil {
		return c, err
	}
	// Every change is audited. The numbers of rows follow the times but for changes that were made at once.
	var last *time.Time
	err = p.To.QueryRow(ctx, `SELECT max(at) FROM (SELECT at FROM booking.audit ORDER BY id DESC LIMIT 1000) newest`).Scan(&last)
	if last != nil {
		c.Last = last.UTC()
	}
	return c, p.failed(p.To, err)
}

func (c *Comparison) count(f, t *found, floor time.Time) {
	switch {
	case f.after(t, floor):
		c.After++
	case f == nil:
		c.OnlyTo++
	case t == nil:
		c.OnlyFrom++
	case f.alike(t):
		c.Both++
	default:
		c.Differing++
	}
}
