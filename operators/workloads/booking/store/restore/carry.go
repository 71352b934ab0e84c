// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Bounds of one commit of a carry-over.
const (
	mostReferrals = 500
	mostRows      = 5000 // of other tables, whose rows are small
)

// Carried is what a carry-over did.
type Carried struct {
	// Referrals that were carried over.
	Referrals int64
	// Displaced are the bookings whose slot another patient was given since, and which are now their providers' to arrange:
	// those of earlier carry-overs into the same copy too, which may have been cut off.
	Displaced int64
}

// CarryOver copies to the copy of a booking database what the program changed after the copy's point: what Compare
// counts as After, and what the directory, slots, the outbox and idempotency keys have of that time. It runs after the
// last program of from has stopped, and before the first of to starts; it may be cut off anywhere and run again.
func CarryOver(ctx context.Context, from, to database.Source, until time.Time) (Carried, error) {
	p, err := openPair(ctx, from, to, until)
	if err != nil {
		return Carried{}, err
	}
	defer p.Close()
	c := carry{pair: p, referrals: mostReferrals, rows: mostRows, now: time.Now}
	if err := c.run(ctx); err != nil {
		return c.done, err
	}
	c.done.Displaced, err = c.displaced(ctx, until)
	return c.done, err
}

// carry is a carry-over under way.
type carry struct {
	*pair
	// referrals and rows bound one commit.
	referrals, rows int
	now             func() time.Time
	done            Carried
}

// run takes its steps in this order: rows come after those that they refer to, numbers before rows that draw some, and
// last what makes all of it sure.
func (c *carry) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		c.migrate, c.sequences, c.services, c.polls, c.session, c.slots, c.clear, c.changed, c.keys, c.outbox, c.states, c.confirm,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *carry) migrate(ctx context.Context) error {
	return c.failed(c.To, c.To.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return store.Migrate(ctx, conn.Conn()) }))
}

// sequences lets the copy go on numbering where the database before stopped, so that no number is given twice: clients
// know appointments and slots by theirs. UBRNs are drawn at random, and referrals that are there keep theirs.
func (c *carry) sequences(ctx context.Context) error {
	for _, t := range []table{slots, appointments, outbox, audit} {
		var next [2]int64
		for i, pool := range []*pgxpool.Pool{c.From, c.To} {
			if err := pool.QueryRow(ctx, fmt.Sprintf(`SELECT last_value + is_called::int FROM booking.%s_id_seq`, t.name)).Scan(&next[i]); err != nil {
				return c.failed(pool, err)
			}
		}
		if next[0] <= next[1] {
			continue
		}
		if _, err := c.To.Exec(ctx, fmt.Sprintf(`SELECT setval('booking.%s_id_seq', $1, false)`, t.name), next[0]); err != nil {
			return c.failed(c.To, err)
		}
	}
	return nil
}

// commit does one transaction of the copy, with a snapshot of the database before.
func (c *carry) commit(ctx context.Context, work func(from, to pgx.Tx) error) error {
	err := pgx.BeginTxFunc(ctx, c.From, snapshot, func(from pgx.Tx) error {
		return database.Transaction(ctx, c.To, func(to pgx.Tx) error {
			if err := work(from, to); err != nil {
				return err
			}
			// A former primary does not know what was changed since.
			return database.Superseded(from.Conn())
		})
	})
	if err != nil {
		return fmt.Errorf("carrying over: %w", err)
	}
	return nil
}

// confirm waits until a last commit is on the standbys, in which there is something to do each time: then all before it
// are, those too of which an earlier carry-over was left in doubt.
func (c *carry) confirm(ctx context.Context) error {
	return c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE booking.migration SET at = at`)
		return err
	}))
}
