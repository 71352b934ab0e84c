// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Held is a message read back for delivery.
type Held struct {
	message.Message
	Seq      message.Seq
	Attempts int
	Flags    int16
}

// Fetch reads the messages of a lane that are among seqs and not settled, with the first part of their bodies. When
// those come to more than limit bytes, the later ones are left out and returned as rest, to be fetched again.
func (l *Ledger) Fetch(ctx context.Context, lane string, seqs []message.Seq, limit int, keep time.Duration) (held []Held, rest []message.Seq, err error) {
	if len(seqs) == 0 {
		return nil, nil, nil
	}
	low, high := slices.Min(seqs), slices.Max(seqs)
	// The range keeps the plan to the partitions of those days.
	rows, err := l.pool.Query(ctx, `SELECT `+columns+`, d.attempts, m.body FROM ledger.delivery d JOIN ledger.message m ON m.seq = d.seq
		WHERE d.lane = $1 AND d.seq = ANY ($2) AND m.seq BETWEEN $3 AND $4 ORDER BY d.seq`, lane, seqs, low, high)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	defer rows.Close()
	held = make([]Held, 0, len(seqs))
	for bytes := 0; rows.Next(); {
		var r row
		raw := rows.RawValues()
		if body := raw[len(raw)-1]; bytes > 0 && bytes+len(body) > limit {
			rest = append(rest, message.Seq(binary.BigEndian.Uint64(raw[0])))
			continue
		}
		if err := rows.Scan(append(r.targets(), &r.attempts, &r.body)...); err != nil {
			return nil, nil, unavailable(err)
		}
		bytes += len(r.body)
		h, err := r.header(keep)
		if err != nil {
			return nil, nil, err
		}
		held = append(held, Held{message.Message{Header: h, Part: 1, Body: r.body}, r.seq, int(r.attempts), r.flags})
	}
	// Messages that a former primary still holds may be settled with its successor.
	return held, rest, unavailable(cmp.Or(rows.Err(), database.Superseded(rows.Conn())))
}

// expired is the error about a message so old that it was deleted, whoever's it was.
func expired(seq message.Seq) error {
	return fmt.Errorf("%w: message %s is past its retention and was deleted", message.ErrGone, seq)
}

// whole is the size of all parts.
const whole = `, m.size + CASE WHEN m.parts > 1 THEN
	(SELECT coalesce(sum(octet_length(p.body)), 0) FROM ledger.part p WHERE p.seq = m.seq)::bigint ELSE 0 END`

// List reads headers of what waits in a lane, from a number on, oldest first.
func (l *Ledger) List(ctx context.Context, lane string, from message.Seq, max int, interaction string, keep time.Duration) ([]message.Header, error) {
	where, args := "", []any{lane, from, max}
	if interaction != "" {
		text, not := strings.CutPrefix(interaction, "!")
		prefix, byPrefix := strings.CutSuffix(text, "*")
		where = "m.interaction = $4"
		if byPrefix {
			where, text = "starts_with(m.interaction, $4)", prefix
		}
		if not {
			where = "NOT " + where
		}
		where, args = " AND "+where, append(args, text)
	}
	rows, err := l.pool.Query(ctx, `SELECT `+columns+whole+` FROM ledger.delivery d JOIN ledger.message m ON m.seq = d.seq
		WHERE d.lane = $1 AND d.seq > $2 AND m.seq > $2`+where+` ORDER BY d.seq LIMIT $3`, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	var headers []message.Header
	for rows.Next() {
		var r row
		if err := rows.Scan(append(r.targets(), &r.size)...); err != nil {
			return nil, unavailable(err)
		}
		h, err := r.header(keep)
		if err != nil {
			return nil, err
		}
		headers = append(headers, h)
	}
	return headers, unavailable(rows.Err())
}

// Count is the number of messages that wait in a lane.
func (l *Ledger) Count(ctx context.Context, lane string) (n int64, err error) {
	err = l.pool.QueryRow(ctx, `SELECT count(*) FROM ledger.delivery WHERE lane = $1`, lane).Scan(&n)
	return n, unavailable(err)
}

// Retrieve reads one part of a message that waits in a mailbox's lane. ErrGone: it waits no longer.
func (l *Ledger) Retrieve(ctx context.Context, lane string, seq message.Seq, part int, keep time.Duration) (*message.Message, error) {
	var r row
	var waits bool
	err := l.pool.QueryRow(ctx, `SELECT `+columns+whole+`, CASE WHEN $3 = 1 THEN m.body END,
		EXISTS (SELECT FROM ledger.delivery d WHERE d.lane = $2 AND d.seq = m.seq)
		FROM ledger.message m WHERE m.seq = $1 AND m.recipient = $2`, seq, lane, part).
		Scan(append(r.targets(), &r.size, &r.body, &waits)...)
	if errors.Is(err, pgx.ErrNoRows) && seq.At().Before(l.config.Now().Add(-keep)) {
		return nil, expired(seq)
	} else if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: no message %s waits for this mailbox", message.ErrNotFound, seq)
	} else if err != nil {
		return nil, unavailable(err)
	}
	if !waits {
		// The same answer before all parts are in as after the acknowledgement would be wrong: not there yet.
		var settled bool
		err := l.pool.QueryRow(ctx, `SELECT $2 = 1 OR (SELECT count(*) FROM ledger.part WHERE seq = $1) >= $2 - 1`, seq, int(r.parts)).Scan(&settled)
		if err != nil {
			return nil, unavailable(err)
		}
		if !settled {
			return nil, fmt.Errorf("%w: no message %s waits for this mailbox", message.ErrNotFound, seq)
		}
		return nil, fmt.Errorf("%w: message %s was acknowledged", message.ErrGone, seq)
	}
	if part < 1 || part > int(r.parts) {
		return nil, fmt.Errorf("%w: message %s has parts 1 to %d", message.ErrNotFound, seq, r.parts)
	}
	if part > 1 {
		if r.body, err = l.part(ctx, seq, part); err != nil {
			return nil, err
		}
	}
	h, err := r.header(keep)
	return &message.Message{Header: h, Part: part, Body: r.body}, err
}

func (l *Ledger) part(ctx context.Context, seq message.Seq, part int) (body []byte, err error) {
	err = l.pool.QueryRow(ctx, `SELECT body FROM ledger.part WHERE seq = $1 AND part = $2`, seq, part).Scan(&body)
	return body, unavailable(err)
}

// Whole adds the further parts of a message to the first.
func (l *Ledger) Whole(ctx context.Context, h *Held) error {
	for part := 2; part <= h.Parts; part++ {
		more, err := l.part(ctx, h.Seq, part)
		if err != nil {
			return err
		}
		h.Body = append(h.Body, more...)
	}
	h.Size = int64(len(h.Body))
	return nil
}

// Known says which messages were accepted for a recipient and are complete, settled or not.
func (l *Ledger) Known(ctx context.Context, recipient string, seqs []message.Seq) (map[message.Seq]bool, error) {
	known := make(map[message.Seq]bool, len(seqs))
	if len(seqs) == 0 {
		return known, nil
	}
	// The range keeps the plan to the partitions of those days.
	rows, err := l.pool.Query(ctx, `SELECT m.seq FROM ledger.message m WHERE m.seq = ANY ($1) AND m.seq BETWEEN $2 AND $3 AND m.recipient = $4
		AND (m.parts = 1 OR (SELECT count(*) FROM ledger.part p WHERE p.seq = m.seq) >= m.parts - 1)`,
		seqs, slices.Min(seqs), slices.Max(seqs), recipient)
	if err != nil {
		return nil, unavailable(err)
	}
	var seq message.Seq
	_, err = pgx.ForEachRow(rows, []any{&seq}, func() error { known[seq] = true; return nil })
	return known, unavailable(err)
}
