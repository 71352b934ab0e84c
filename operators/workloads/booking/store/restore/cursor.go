// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// fetched is how many rows of a cursor are in memory. No row waits in a connection: a server ends one from which nothing
// is taken for 20 seconds, as when the other database sorts.
const fetched = 5000

// cursor reads what a query finds in one snapshot, a block at a time.
type cursor[T any] struct {
	pair *pair
	pool *pgxpool.Pool
	tx   pgx.Tx
	scan pgx.RowToFunc[T]
	rows []T
	done bool
}

// snapshot of one moment, which nothing is written in.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

func open[T any](ctx context.Context, p *pair, pool *pgxpool.Pool, query string, scan pgx.RowToFunc[T]) (*cursor[T], error) {
	tx, err := pool.BeginTx(ctx, snapshot)
	if err != nil {
		return nil, p.failed(pool, err)
	}
	c := &cursor[T]{pair: p, pool: pool, tx: tx, scan: scan}
	// The planner does not know how many rows are of the time since the point, and takes them for few: nested loops over
	// tables without an index would cost the square of what there is.
	if _, err := tx.Exec(ctx, `SET LOCAL enable_nestloop = off; DECLARE found NO SCROLL CURSOR FOR `+query); err != nil {
		c.close(ctx)
		return nil, p.failed(pool, err)
	}
	return c, nil
}

// close is for the end of its user, who has all that it wants.
func (c *cursor[T]) close(ctx context.Context) { _ = c.tx.Rollback(context.WithoutCancel(ctx)) }

// peek is the next row; nil at the end.
func (c *cursor[T]) peek(ctx context.Context) (*T, error) {
	if len(c.rows) == 0 && !c.done {
		// The statement is of the same text for every cursor, with other columns: it must not be kept.
		rows, err := c.tx.Query(ctx, fmt.Sprintf(`FETCH %d FROM found`, fetched), pgx.QueryExecModeDescribeExec)
		if err == nil {
			c.rows, err = pgx.CollectRows(rows, c.scan)
		}
		// What a former primary still holds is not all that was acknowledged.
		if err := errors.Join(err, database.Superseded(c.tx.Conn())); err != nil {
			return nil, c.pair.failed(c.pool, err)
		}
		c.done = len(c.rows) < fetched
	}
	if len(c.rows) == 0 {
		return nil, nil
	}
	return &c.rows[0], nil
}

func (c *cursor[T]) pop() { c.rows = c.rows[1:] }

// take is at most so many of the next rows; fewer at the end.
func (c *cursor[T]) take(ctx context.Context, most int) (taken []*T, err error) {
	for len(taken) < most {
		row, err := c.peek(ctx)
		if err != nil || row == nil {
			return taken, err
		}
		taken = append(taken, row)
		c.pop()
	}
	return taken, nil
}

// merge goes through the rows that a query finds in either database, in the order of their keys, with nil for the one
// that lacks it.
func merge[T any](ctx context.Context, p *pair, query string, scan pgx.RowToFunc[T], key func(*T) int64, see func(f, t *T) error) error {
	from, err := open(ctx, p, p.From, query, scan)
	if err != nil {
		return err
	}
	defer from.close(ctx)
	to, err := open(ctx, p, p.To, query, scan)
	if err != nil {
		return err
	}
	defer to.close(ctx)
	for {
		f, err := from.peek(ctx)
		if err != nil {
			return err
		}
		t, err := to.peek(ctx)
		if err != nil {
			return err
		}
		switch {
		case f == nil && t == nil:
			return nil
		case f == nil || t == nil:
		case key(f) < key(t):
			t = nil
		case key(t) < key(f):
			f = nil
		}
		if err := see(f, t); err != nil {
			return err
		}
		if f != nil {
			from.pop()
		}
		if t != nil {
			to.pop()
		}
	}
}
