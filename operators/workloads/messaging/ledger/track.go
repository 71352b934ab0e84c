// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Track finds a message of a sender by its number, or by the sender's own id when seq is 0.
func (l *Ledger) Track(ctx context.Context, sender string, seq message.Seq, local string, keep time.Duration) (message.Track, error) {
	if seq == 0 {
		var err error
		if seq, err = l.byLocal(ctx, sender, local); err != nil {
			return message.Track{}, err
		}
	}
	var r row
	var waits, reported, complete bool
	var at *time.Time
	var reason *string
	err := l.pool.QueryRow(ctx, `SELECT `+columns+whole+`,
		d.seq IS NOT NULL, coalesce(d.flags & $3::smallint <> 0, false), coalesce(o.at, x.at), coalesce(o.reason, x.reason),
		m.parts = 1 OR (SELECT count(*) FROM ledger.part p WHERE p.seq = m.seq) >= m.parts - 1
		FROM ledger.message m LEFT JOIN ledger.delivery d ON d.seq = m.seq AND d.lane IN (m.recipient, 'push/' || m.interaction)
		LEFT JOIN ledger.outcome o ON o.seq = m.seq LEFT JOIN ledger.dead x ON x.seq = m.seq
		WHERE m.seq = $1 AND m.sender = $2`, seq, sender, FlagReported).
		Scan(append(r.targets(), &r.size, &waits, &reported, &at, &reason, &complete)...)
	if errors.Is(err, pgx.ErrNoRows) && seq.At().Before(l.config.Now().Add(-keep)) {
		return message.Track{}, expired(seq)
	} else if errors.Is(err, pgx.ErrNoRows) {
		return message.Track{}, fmt.Errorf("%w: this mailbox sent no message %s", message.ErrNotFound, seq)
	} else if err != nil {
		return message.Track{}, unavailable(err)
	}
	h, err := r.header(keep)
	t := message.Track{Header: h, State: message.StateAcknowledged}
	switch {
	case !complete:
		t.State = message.StateUploading
	case reason != nil:
		t.State, t.Reason = message.StateUndelivered, *reason
	case waits && reported:
		t.State, t.Reason = message.StateUndelivered, "not collected in time"
	case waits:
		t.State = message.StateAccepted
	case at != nil:
		t.SettledAt = at.UTC()
	}
	return t, err
}

func (l *Ledger) byLocal(ctx context.Context, sender, local string) (message.Seq, error) {
	rows, err := l.pool.Query(ctx, `SELECT seq FROM ledger.message WHERE sender = $1 AND local_id = $2 ORDER BY seq DESC LIMIT 2`, sender, local)
	if err != nil {
		return 0, unavailable(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[message.Seq])
	switch {
	case err != nil:
		return 0, unavailable(err)
	case len(found) == 0:
		return 0, fmt.Errorf("%w: this mailbox sent no message with local id %q", message.ErrNotFound, message.Clip(local))
	case len(found) > 1:
		return 0, fmt.Errorf("%w: ask by the message ID", message.ErrAmbiguous)
	}
	return found[0], nil
}
