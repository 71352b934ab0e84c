// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/alone"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// States of a message that one site alone holds.
const (
	stateWaiting = "waiting"       // nobody has had it
	stateDead    = "dead-lettered" // its endpoint refused it
	stateSettled = "settled"       // its recipient has had it
)

// ProbeBox is both ends of the deep probe's messages; no mailbox may have this name, as it is not one.
const ProbeBox = "spine-probe"

const (
	// aloneBatch bounds the messages that are looked for at once.
	aloneBatch = 5_000
	// aloneMargin is how long after its first part was accepted another part of a message may come: only then is it
	// acknowledged.
	aloneMargin = 15 * time.Minute
)

// Alone lists messages of a ledger that the other site's lacks, or lacks parts of, but for those of deep probes. What they
// say, and what their senders call them, is not in the list.
func Alone() alone.List {
	return alone.List{
		Header: []string{"message_id", "accepted", "sender", "recipient", "interaction", "state", "sent_again"},
		Margin: aloneMargin,
		Batches: func(p *database.Pair) alone.Batches {
			before := message.Seq(math.MaxInt64)
			return func(ctx context.Context) ([]alone.Row, error) {
				held, err := held(ctx, p.From, before)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", p.Name(p.From), err)
				}
				if len(held) == 0 {
					return nil, nil
				}
				before = held[len(held)-1].seq
				return aloneOf(ctx, p, held)
			}
		},
	}
}

// holding is a message that this site has.
type holding struct {
	seq                            message.Seq
	sender, recipient, interaction string
	request                        *string
	parts                          int64
}

// held are the newest messages before a number.
func held(ctx context.Context, pool *pgxpool.Pool, before message.Seq) ([]holding, error) {
	rows, err := pool.Query(ctx, `SELECT seq, sender, recipient, interaction, request_id,
			CASE WHEN parts > 1 THEN (SELECT count(*) FROM ledger.part p WHERE p.seq = m.seq) ELSE 0 END
		FROM ledger.message m WHERE seq < $1 AND sender <> $2 ORDER BY seq DESC LIMIT $3`, before, ProbeBox, aloneBatch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h holding, err error) {
		return h, row.Scan(&h.seq, &h.sender, &h.recipient, &h.interaction, &h.request, &h.parts)
	})
}

// aloneOf are these messages as rows of the list, with what the other site lacks of them.
func aloneOf(ctx context.Context, p *database.Pair, held []holding) ([]alone.Row, error) {
	seqs := make([]message.Seq, len(held))
	for i, h := range held {
		seqs[i] = h.seq
	}
	// The bounds spare the server the partitions of other days.
	there, err := collect[message.Seq, int64](ctx, p.To, `SELECT seq,
			CASE WHEN parts > 1 THEN (SELECT count(*) FROM ledger.part p WHERE p.seq = m.seq) ELSE 0 END
		FROM ledger.message m WHERE seq = ANY ($1::bigint[]) AND seq >= $2 AND seq <= $3`, seqs, seqs[len(seqs)-1], seqs[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(p.To), err)
	}
	var lacking []message.Seq
	keys := map[message.Seq]pgtype.UUID{}
	var asked []pgtype.UUID
	for _, h := range held {
		if parts, has := there[h.seq]; has && parts >= h.parts {
			continue
		}
		lacking = append(lacking, h.seq)
		if h.request != nil {
			keys[h.seq] = requestKey(h.sender, *h.request)
			asked = append(asked, keys[h.seq])
		}
	}
	states, again := map[message.Seq]string{}, map[pgtype.UUID]message.Seq{}
	if len(lacking) > 0 {
		states, err = collect[message.Seq, string](ctx, p.From, `SELECT seq, $2 FROM ledger.delivery WHERE seq = ANY ($1::bigint[])
			UNION SELECT seq, $3 FROM ledger.dead WHERE seq = ANY ($1::bigint[])`, lacking, stateWaiting, stateDead)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(p.From), err)
		}
		again, err = collect[pgtype.UUID, message.Seq](ctx, p.To, `SELECT key, seq FROM ledger.request WHERE key = ANY ($1::uuid[])`, asked)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(p.To), err)
		}
	}
	rows := make([]alone.Row, len(held))
	for i, h := range held {
		row := alone.Row{At: h.seq.At()}
		if parts, has := there[h.seq]; !has || parts < h.parts {
			row.Alone = true
			// The number of a request that the other site knows is that of what came there.
			other, known := again[keys[h.seq]]
			row.Again = known && other != h.seq
			state := states[h.seq]
			if state == "" {
				state = stateSettled
			}
			row.Columns = []string{
				h.seq.String(), h.seq.At().Format(time.RFC3339Nano), h.sender, h.recipient, h.interaction, state, strconv.FormatBool(row.Again),
			}
		}
		rows[i] = row
	}
	return rows, nil
}

// collect reads rows of a key and a value.
func collect[K comparable, V any](ctx context.Context, pool *pgxpool.Pool, query string, args ...any) (map[K]V, error) {
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	out := map[K]V{}
	var key K
	var value V
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		out[key] = value
		return nil
	})
	return out, err
}
