// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// A carry-over ahead ends with a pass that took less than this, or with one that took hardly less than the one before.
const (
	aheadEnough = 10 * time.Second
	aheadFaster = 0.75
)

// makeAhead makes what a carry-over ahead leaves for the one that ends it: the messages of which it could not know how
// they end, and the number up to which all others are there.
const makeAhead = `CREATE TABLE IF NOT EXISTS ledger.ahead (seq bigint NOT NULL PRIMARY KEY);
	CREATE TABLE IF NOT EXISTS ledger.walked (seq bigint NOT NULL)`

// CarryAhead copies what it can of what CarryOver would, while gateways of from still run, so that they need to be
// stopped for little of it: messages, and how they ended if they have. It goes over the ledger again until what has come
// meanwhile takes hardly any time, or as long as the time before. It may be cut off anywhere and run again.
func CarryAhead(ctx context.Context, from, to database.Source, until time.Time) (Carried, error) {
	p, err := openPair(ctx, from, to, until)
	if err != nil {
		return Carried{}, err
	}
	defer p.Close()
	c := carry{pair: p, most: carryMessages, ahead: true}
	for before := math.Inf(1); ; {
		began := time.Now()
		if err := c.goOver(ctx, began); err != nil {
			return c.done, err
		}
		took := time.Since(began).Seconds()
		if took < aheadEnough.Seconds() || took > before*aheadFaster {
			return c.done, nil
		}
		before = took
	}
}

// goOver goes over the ledger once. What has a number from before it began, less the margin, is in the copy then.
func (c *carry) goOver(ctx context.Context, began time.Time) error {
	if err := inTurn(ctx, c.prepare, c.completed, c.uploads, c.accepted); err != nil {
		return err
	}
	return c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ledger.walked (seq) VALUES ($1)`, message.SeqAt(began.Add(-margin)))
		return err
	}))
}

// walked is the first number after the point of which it is not known that it was carried over.
func (c *carry) walked(ctx context.Context) (message.Seq, error) {
	var seq message.Seq
	err := c.To.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM ledger.walked`).Scan(&seq)
	return max(seq, c.floor), c.failed(c.To, err)
}

// note keeps in a commit which of its messages lack how they end. One that waits for nobody, is no dead letter and has
// all its parts has ended.
func (c *carry) note(ctx context.Context, tx pgx.Tx) error {
	if !c.ahead {
		_, err := tx.Exec(ctx, `DELETE FROM ledger.ahead WHERE seq = ANY ($1)`, c.seqs)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO ledger.ahead SELECT seq FROM pg_temp.carried_message m
		WHERE m.seq IN (SELECT seq FROM pg_temp.carried_delivery UNION ALL SELECT seq FROM pg_temp.carried_dead)
		OR m.parts > 1 AND (SELECT count(*) FROM pg_temp.carried_part p WHERE p.seq = m.seq) < m.parts - 1 ON CONFLICT DO NOTHING`)
	return err
}

// uploads carries over parts that came since of messages that were carried ahead without all of theirs.
func (c *carry) uploads(ctx context.Context) error {
	rows, err := c.To.Query(ctx, `SELECT seq FROM ledger.ahead JOIN ledger.message m USING (seq)
		WHERE m.parts > 1 AND (SELECT count(*) FROM ledger.part p WHERE p.seq = m.seq) < m.parts - 1 ORDER BY seq`)
	if err != nil {
		return c.failed(c.To, err)
	}
	seqs, err := pgx.CollectRows(rows, pgx.RowTo[message.Seq])
	if err != nil || len(seqs) == 0 {
		return c.failed(c.To, err)
	}
	return c.walk(ctx, theseMessages, seqs[0], seqs[len(seqs)-1]+1, seqs)
}

// unsettled carries over how those end that were carried ahead and had not ended.
func (c *carry) unsettled(ctx context.Context) error {
	for {
		rows, err := c.To.Query(ctx, `SELECT seq FROM ledger.ahead ORDER BY seq LIMIT $1`, c.most)
		if err != nil {
			return c.failed(c.To, err)
		}
		if c.seqs, err = pgx.CollectRows(rows, pgx.RowTo[message.Seq]); err != nil || len(c.seqs) == 0 {
			return c.failed(c.To, err)
		}
		if err := c.commit(ctx, endTables); err != nil {
			return err
		}
	}
}
