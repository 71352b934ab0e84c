// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Lane says who takes a message that is complete now, and the flags of its delivery.
type Lane func(interaction, recipient string) (lane string, flags int16)

// AddPart adds a further part. When it is the last one missing, the message goes to its lane, and the ref says so: also
// with an error, when it is not known whether the part is there.
func (l *Ledger) AddPart(ctx context.Context, sender string, seq message.Seq, part int, body []byte, limit int64, lane Lane) (*Ref, error) {
	if l.inFlight.Add(int64(len(body))) > l.config.InFlightBytes {
		l.inFlight.Add(-int64(len(body)))
		return nil, &message.OverloadedError{RetryAfter: 1e9}
	}
	defer l.inFlight.Add(-int64(len(body)))
	var ref *Ref
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
		ref, err = addPart(ctx, tx, sender, seq, part, body, limit, lane)
		return err
	})
	for _, known := range []error{message.ErrNotFound, message.ErrInvalid, message.ErrTooLarge, message.ErrConflict} {
		if errors.Is(err, known) {
			return nil, err
		}
	}
	if err == nil && ref != nil {
		l.acknowledged.Add(1)
	}
	return ref, unavailable(err)
}

func addPart(ctx context.Context, tx pgx.Tx, sender string, seq message.Seq, part int, body []byte, limit int64, lane Lane) (*Ref, error) {
	var r row
	// The lock makes parts of one message take turns, so that exactly one of them is the last.
	err := tx.QueryRow(ctx, `SELECT `+columns+whole+` FROM ledger.message m WHERE m.seq = $1 AND m.sender = $2 FOR UPDATE OF m`, seq, sender).
		Scan(append(r.targets(), &r.size)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: this mailbox sent no message %s", message.ErrNotFound, seq)
	} else if err != nil {
		return nil, err
	}
	if r.parts == 1 {
		return nil, fmt.Errorf("%w: message %s is complete: it came in one piece", message.ErrConflict, seq)
	}
	if part < 2 || part > int(r.parts) {
		return nil, fmt.Errorf("%w: message %s was announced with %d parts, so a further part is 2 to %d", message.ErrInvalid, seq, r.parts, r.parts)
	}
	sum := sha256.Sum256(body)
	var there []byte
	err = tx.QueryRow(ctx, `SELECT hash FROM ledger.part WHERE seq = $1 AND part = $2`, seq, part).Scan(&there)
	switch {
	case err == nil && bytes.Equal(there, sum[:]):
		// A repeat. This transaction locked a row, so its commit waits for the standbys as the first one did.
		return nil, nil
	case err == nil:
		return nil, fmt.Errorf("%w: part %d of message %s is there with other bytes", message.ErrConflict, part, seq)
	case !errors.Is(err, pgx.ErrNoRows):
		return nil, err
	}
	if r.size+int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: with this part message %s exceeds %d bytes", message.ErrTooLarge, seq, limit)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO ledger.part (seq, part, hash, body) VALUES ($1, $2, $3, $4)`, seq, part, sum[:], body); err != nil {
		return nil, err
	}
	var parts int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM ledger.part WHERE seq = $1`, seq).Scan(&parts); err != nil || parts < int(r.parts)-1 {
		return nil, err
	}
	to, flags := lane(r.interaction, r.recipient)
	_, err = tx.Exec(ctx, `INSERT INTO ledger.delivery (lane, seq, flags) VALUES ($1, $2, $3)`, to, seq, flags|r.flags&FlagTracked)
	return &Ref{to, seq}, err
}
