// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// batch holds the arrays of one commit; they are reused.
type batch struct {
	entries []*Entry
	// twins are entries that repeat another of the same batch: they take over what becomes of it.
	twins map[*Entry]*Entry
	first map[pgtype.UUID]*Entry

	arrays [parameters]array
}

// fill takes the entries of all groups, in the order of their keys: batches that hold the same requests then wait for
// each other rather than deadlock. Of requests that come twice only the first is kept.
func (b *batch) fill(groups []*group) []*Entry {
	b.entries, b.twins = b.entries[:0], nil
	if b.first == nil {
		b.first = make(map[pgtype.UUID]*Entry, 512)
	}
	clear(b.first)
	for _, g := range groups {
		for _, e := range g.entries {
			if e.key.Valid {
				if other, ok := b.first[e.key]; ok {
					if b.twins == nil {
						b.twins = map[*Entry]*Entry{}
					}
					b.twins[e] = other
					continue
				}
				b.first[e.key] = e
			}
			b.entries = append(b.entries, e)
		}
	}
	slices.SortFunc(b.entries, func(x, y *Entry) int { return bytes.Compare(x.key.Bytes[:], y.key.Bytes[:]) })
	return b.entries
}

// spread gives every twin the outcome of its first.
func (b *batch) spread() {
	for twin, first := range b.twins {
		switch {
		case first.Err != nil && !errors.Is(first.Err, message.ErrConflict):
			twin.Err = first.Err
		case twin.print != first.print:
			// Also when the first one is itself in conflict: the twin may be the true repeat, and asking again tells.
			twin.Err = conflict(twin)
			if first.Err != nil {
				twin.Err = fmt.Errorf("%w: two payloads came with one request id", message.ErrUnavailable)
			}
		case first.Err != nil:
			twin.Err = conflict(twin)
		case first.Duplicate != 0:
			twin.Duplicate = first.Duplicate
		default:
			twin.Duplicate = first.Seq
		}
	}
}

func conflict(e *Entry) error {
	return fmt.Errorf("%w: send a new message with a new request id, or repeat the first payload (%q)",
		message.ErrConflict, message.Clip(e.RequestID))
}

const (
	input = `WITH d AS MATERIALIZED (
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::text[],
			$8::text[], $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::bytea[], $14::uuid[], $15::uuid[])
		AS d(seq, size, parts, flags, sender, recipient, interaction, request_id, local_id, lane, hash, extra, body, key, print)
	), r AS (
		INSERT INTO ledger.request (key, print, seq) SELECT key, print, seq FROM d WHERE key IS NOT NULL
		ON CONFLICT DO NOTHING RETURNING seq
	), m AS (
		INSERT INTO ledger.message (seq, size, parts, flags, sender, recipient, interaction, request_id, local_id, hash, extra, body)
		SELECT seq, size, parts, flags, sender, recipient, interaction, nullif(request_id, ''), nullif(local_id, ''), hash, extra, body
		FROM d WHERE key IS NULL OR seq IN (SELECT seq FROM r)`
	output = ` RETURNING seq
	), v AS (
		INSERT INTO ledger.delivery (lane, seq, flags)
		SELECT lane, seq, flags FROM d WHERE lane <> '' AND seq IN (SELECT seq FROM m)
	) SELECT seq FROM m`
	insertFirst = input + output
	// A batch that is tried again may have been committed before: what is there stays as it is, settled or not.
	insertAgain = input + ` ON CONFLICT (seq) DO NOTHING` + output
)

// Names of the prepared statements.
const (
	statementFirst = "first"
	statementAgain = "again"
)

func prepareInserts(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Prepare(ctx, statementFirst, insertFirst); err != nil {
		return err
	}
	_, err := conn.Prepare(ctx, statementAgain, insertAgain)
	return err
}

// insert commits the batch in one statement. Entries that were not written are then looked up.
func (b *batch) insert(ctx context.Context, conn *pgx.Conn, entries []*Entry, again bool) error {
	statement := statementFirst
	if again {
		statement = statementAgain
	}
	binaryForm := []int16{pgx.BinaryFormatCode}
	rows := conn.PgConn().ExecPrepared(ctx, statement, b.encode(entries), binaryForm, binaryForm)
	written := make(map[message.Seq]struct{}, len(entries))
	for rows.NextRow() {
		written[message.Seq(binary.BigEndian.Uint64(rows.Values()[0]))] = struct{}{}
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	if len(written) == len(entries) {
		return nil
	}
	var rest []*Entry
	for _, e := range entries {
		if _, ok := written[e.Seq]; !ok {
			rest = append(rest, e)
		}
	}
	return lookUp(ctx, conn, rest)
}

// lookUp finds what the entries repeat. Its own commit, of a mark that nobody reads, waits for the standbys as any: so
// what it saw before is durable there too.
func lookUp(ctx context.Context, conn *pgx.Conn, entries []*Entry) error {
	var keys []pgtype.UUID
	var own []int64
	for _, e := range entries {
		if e.key.Valid {
			keys = append(keys, e.key)
		} else {
			own = append(own, int64(e.Seq))
		}
	}
	type seen struct {
		print pgtype.UUID
		seq   message.Seq
	}
	requests, messages := map[pgtype.UUID]seen{}, map[message.Seq]bool{}
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_logical_emit_message(true, 'spine', '')`); err != nil {
			return err
		}
		var key pgtype.UUID
		var s seen
		rows, err := tx.Query(ctx, `SELECT key, print, seq FROM ledger.request WHERE key = ANY ($1)`, keys)
		if err != nil {
			return err
		}
		if _, err := pgx.ForEachRow(rows, []any{&key, &s.print, &s.seq}, func() error { requests[key] = s; return nil }); err != nil {
			return err
		}
		if len(own) == 0 {
			return nil
		}
		var seq message.Seq
		rows, err = tx.Query(ctx, `SELECT seq FROM ledger.message WHERE seq = ANY ($1)`, own)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&seq}, func() error { messages[seq] = true; return nil })
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.Err, e.Duplicate = nil, 0
		first, ok := requests[e.key]
		switch {
		case !e.key.Valid && messages[e.Seq]:
		case !ok:
			// The first request expired between the two looks, or never was: only asking again can tell.
			e.Err = fmt.Errorf("%w: repeat the request", message.ErrUnavailable)
		case first.seq == e.Seq:
		case first.print != e.print:
			e.Err = conflict(e)
		default:
			e.Duplicate = first.seq
		}
	}
	return nil
}

// retryable says whether trying a batch again may help: not when the server refuses its content.
func retryable(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return true
	}
	switch refused.Code[:2] {
	case "08", "25", "40", "53", "55", "57", "58":
		// Connection, read-only, serialization, resources, locks, operator, system.
		return true
	}
	return false
}
