// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Bounds of one commit of a carry-over; the last message may exceed the bytes. Bodies are streamed, not held.
const (
	carryMessages = 2000
	carryBytes    = 64 << 20
)

// Carried is what a carry-over copied.
type Carried struct {
	Messages int64
}

// CarryOver copies to the copy of a ledger what the ledger accepted after the copy's point: what Compare counts as
// After. It may be cut off anywhere and run again. For the last time it runs after the last gateway of from has stopped,
// and before the first of to starts; what CarryAhead has copied until then, it need not.
//
// What was settled after the point and accepted before is unsettled in the copy, and is delivered again: receivers know
// it by its ID.
func CarryOver(ctx context.Context, from, to database.Source, until time.Time) (Carried, error) {
	p, err := openPair(ctx, from, to, until)
	if err != nil {
		return Carried{}, err
	}
	defer p.Close()
	c := carry{pair: p, most: carryMessages}
	err = c.run(ctx)
	return c.done, err
}

// carry is a carry-over under way.
type carry struct {
	*pair
	// most bounds the messages of one commit.
	most int
	// ahead: gateways of from still run.
	ahead bool
	done  Carried
	// seqs wait for their commit, with so many bytes.
	seqs  []message.Seq
	bytes int64
}

// run takes its steps in this order: what depends on nothing first, and last what makes all of it sure.
func (c *carry) run(ctx context.Context) error {
	return inTurn(ctx, c.prepare, c.sequence, c.dispatch, c.completed, c.uploads, c.accepted, c.unsettled, c.confirm)
}

func inTurn(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// prepare brings the copy's schema up to date and makes the partitions for all days since its point.
func (c *carry) prepare(ctx context.Context) error {
	_, last, err := c.span(ctx)
	if err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return c.failed(c.To, c.To.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		if err := database.Migrate(ctx, conn.Conn(), "ledger", lockMigrate, files); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, makeAhead); err != nil {
			return err
		}
		return ensureDays(ctx, conn.Conn(), c.floor.At(), last.At())
	}))
}

// sequence lets the copy go on numbering replicas where the ledger stopped: a replica with the number of another, on a
// clock that is behind, could number a message as the other did. Numbers go round, so of two the one that is less than
// half a round ahead is the later.
func (c *carry) sequence(ctx context.Context) error {
	const next = `SELECT (last_value + is_called::int) % $1 FROM ledger.node`
	var from, to int64
	if err := c.From.QueryRow(ctx, next, message.Nodes).Scan(&from); err != nil {
		return c.failed(c.From, err)
	}
	if err := c.To.QueryRow(ctx, next, message.Nodes).Scan(&to); err != nil {
		return c.failed(c.To, err)
	}
	if ahead := (from - to + message.Nodes) % message.Nodes; ahead == 0 || ahead >= message.Nodes/2 {
		return nil
	}
	_, err := c.To.Exec(ctx, `SELECT setval('ledger.node', $1, false)`, from)
	return c.failed(c.To, err)
}

// dueAt makes a delivery through the broker that waits for no retry due since its acceptance, so that they come in
// their order: the keeper then gives its reference to the broker whichever replica accepted it.
//
// ledger.replica cannot see to that. At the copy's point it says of a replica that all its references up to a number
// are with the broker; but since then the broker gave them out, they were settled, and in the copy they are not. And a
// replica that gets a number anew says so of all messages that were numbered with it before.
var dueAt = fmt.Sprintf(`CASE WHEN next_at IS NULL AND flags & %d <> 0
	THEN timestamptz '2020-01-01 00:00:00Z' + (seq / %d) * interval '1 microsecond' ELSE next_at END`, FlagDispatched, message.Nodes)

// dispatch makes due what is unsettled in the copy. It comes before anything is carried over, which comes as due: at no
// time is there a message that looks carried over and is not dispatched.
func (c *carry) dispatch(ctx context.Context) error {
	return c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ledger.delivery SET next_at = `+dueAt+` WHERE next_at IS NULL AND flags & $1::smallint <> 0`, FlagDispatched)
		return err
	}))
}

// completed carries over parts that were accepted after the point, of messages that were begun before.
func (c *carry) completed(ctx context.Context) error {
	var first *message.Seq
	if err := c.From.QueryRow(ctx, `SELECT min(seq) FROM ledger.part`).Scan(&first); err != nil {
		return c.failed(c.From, err)
	}
	if first == nil {
		return nil
	}
	for low := *first; low < c.floor; low += window {
		high := min(low+window, c.floor)
		rows, err := c.From.Query(ctx, `SELECT DISTINCT seq FROM ledger.part WHERE seq >= $1 AND seq < $2`, low, high)
		if err != nil {
			return c.failed(c.From, err)
		}
		seqs, err := pgx.CollectRows(rows, pgx.RowTo[message.Seq])
		if err != nil {
			return c.failed(c.From, err)
		}
		if len(seqs) == 0 {
			continue
		}
		if err := c.walk(ctx, theseMessages, low, high, seqs); err != nil {
			return err
		}
	}
	return nil
}

// accepted carries over messages that were accepted after the point.
func (c *carry) accepted(ctx context.Context) error {
	_, last, err := c.span(ctx)
	if err != nil {
		return err
	}
	low, err := c.walked(ctx)
	if err != nil {
		return err
	}
	return c.stretches(ctx, low, last, func(low, high message.Seq) error { return c.walk(ctx, allMessages, low, high) })
}

// walk carries over what a query finds. It reads all of that before it begins, as a server leaves a client that takes
// nothing for a while; and it ends with a commit, so that none spans more than a window.
func (c *carry) walk(ctx context.Context, query string, args ...any) error {
	var after []*found
	err := c.merge(ctx, func(f, t *found) error {
		if f.after(t, c.floor) {
			after = append(after, f)
		}
		return nil
	}, query, args...)
	if err != nil {
		return err
	}
	for i, f := range after {
		c.seqs, c.bytes = append(c.seqs, f.seq), c.bytes+f.bytes
		if i < len(after)-1 && len(c.seqs) < c.most && c.bytes < carryBytes {
			continue
		}
		if err := c.commit(ctx, carriedTables); err != nil {
			return err
		}
	}
	return nil
}

// carriedTable is one with rows that belong to a message.
type carriedTable struct {
	name, columns, values, conflict string
	// passes: its rows go when the message is settled.
	passes bool
}

// carriedTables have what belongs to a message. A row that is there stays as it is; but of two messages with one
// request, the later is the one that a repeat repeats: the first had expired, or it would not have been accepted.
var carriedTables = append([]carriedTable{
	{name: "request", columns: "key, print, seq", values: "key, print, seq",
		conflict: "(key) DO UPDATE SET print = excluded.print, seq = excluded.seq WHERE t.seq < excluded.seq"},
	{name: "message", columns: messageColumns, values: messageColumns, conflict: "DO NOTHING"},
	{name: "part", columns: "seq, part, hash, body", values: "seq, part, hash, body", conflict: "DO NOTHING"},
}, endTables...)

// endTables have how a message ends.
var endTables = []carriedTable{
	{name: "outcome", columns: "seq, at, reason", values: "seq, at, reason", conflict: "DO NOTHING"},
	{name: "delivery", columns: "lane, seq, flags, attempts, next_at", values: "lane, seq, flags, attempts, " + dueAt, conflict: "DO NOTHING", passes: true},
	{name: "dead", columns: deadColumns, values: deadColumns, conflict: "DO NOTHING", passes: true},
}

const (
	messageColumns = "seq, size, parts, flags, sender, recipient, interaction, request_id, local_id, hash, extra, body"
	deadColumns    = "seq, lane, flags, attempts, supplier, reason, at"
)

// commit copies what waits, all that belongs to a message with one commit: wherever the carry-over is cut off, what is
// in the copy is there with its deliveries, or is known to lack them.
func (c *carry) commit(ctx context.Context, tables []carriedTable) error {
	// In one snapshot a message is unsettled, settled or dead, and not two of these.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, c.From, snapshot, func(from pgx.Tx) error {
		return database.Transaction(ctx, c.To, func(to pgx.Tx) error {
			for _, t := range tables {
				out := fmt.Sprintf(`COPY (SELECT %s FROM ledger.%s WHERE seq BETWEEN %d AND %d AND seq = ANY ('{%s}'::bigint[])) TO STDOUT (FORMAT binary)`,
					t.columns, t.name, c.seqs[0], c.seqs[len(c.seqs)-1], list(c.seqs))
				stage := "pg_temp.carried_" + t.name
				if _, err := to.Exec(ctx, fmt.Sprintf(`CREATE TEMP TABLE IF NOT EXISTS carried_%[1]s (LIKE ledger.%[1]s INCLUDING STORAGE) ON COMMIT DELETE ROWS`, t.name)); err != nil {
					return err
				}
				in := fmt.Sprintf(`COPY %s (%s) FROM STDIN (FORMAT binary)`, stage, t.columns)
				if err := database.Pass(ctx, from.Conn().PgConn(), out, to.Conn().PgConn(), in); err != nil {
					return err
				}
				if c.ahead && t.passes {
					continue // the gateways still run
				}
				if _, err := to.Exec(ctx, fmt.Sprintf(`INSERT INTO ledger.%s AS t (%s) SELECT %s FROM %s ON CONFLICT %s`,
					t.name, t.columns, t.values, stage, t.conflict)); err != nil {
					return err
				}
			}
			if err := c.note(ctx, to); err != nil {
				return err
			}
			// A former primary does not know what was accepted or settled since.
			return database.Superseded(from.Conn())
		})
	})
	if err != nil {
		return fmt.Errorf("carrying over: %w", err)
	}
	c.done.Messages += int64(len(c.seqs))
	c.seqs, c.bytes = c.seqs[:0], 0
	return nil
}

func list(seqs []message.Seq) string {
	b := make([]byte, 0, 20*len(seqs))
	for i, seq := range seqs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(seq), 10)
	}
	return string(b)
}

// confirm waits until a last commit is on the standbys, in which there is something to do each time: then all before it
// are, those too of which an earlier carry-over was left in doubt.
func (c *carry) confirm(ctx context.Context) error {
	return c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DROP TABLE ledger.ahead, ledger.walked`)
		return err
	}))
}
