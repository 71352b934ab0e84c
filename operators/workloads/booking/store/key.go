// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Key makes a change repeatable; see flow.Key. The zero Key does nothing.
type Key struct {
	Application string
	Value       string
	Hash        [32]byte
}

// keysKept is how long a repetition is recognised.
const keysKept = 7 * 24 * time.Hour

// claim records the key in the change's own transaction, so that both stand or
// neither. When the key was used before, it returns what the first use made.
// A concurrent first use is waited for.
func (s *Store) claim(ctx context.Context, tx pgx.Tx, key Key, ubrn domain.UBRN) (used *claimed, err error) {
	if key.Value == "" {
		return nil, nil
	}
	tag, err := tx.Exec(ctx, `INSERT INTO booking.idempotency (application, key, hash, ubrn, created) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, key.Application, key.Value, key.Hash[:], ubrn.Number(), s.now())
	if err != nil || tag.RowsAffected() == 1 {
		return nil, err
	}
	var hash []byte
	used = &claimed{}
	var number int64
	err = tx.QueryRow(ctx, `SELECT hash, ubrn, coalesce(appointment_id, 0) FROM booking.idempotency WHERE application = $1 AND key = $2`,
		key.Application, key.Value).Scan(&hash, &number, &used.appointment)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(hash, key.Hash[:]) {
		return nil, &domain.KeyConflictError{}
	}
	used.ubrn = domain.UBRNFromNumber(number)
	return used, nil
}

// claimed is what the first use of a key made.
type claimed struct {
	ubrn        domain.UBRN
	appointment int64
}

// remember adds the appointment that the key's change made.
func (c *change) remember(key Key, appointment int64) {
	if key.Value != "" {
		c.batch.Queue(`UPDATE booking.idempotency SET appointment_id = $3 WHERE application = $1 AND key = $2`, key.Application, key.Value, appointment)
	}
}

// ForgetKeys deletes keys that are too old to be repeated. It returns how many.
func (s *Store) ForgetKeys(ctx context.Context) (int64, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM booking.idempotency WHERE (application, key) IN
		(SELECT application, key FROM booking.idempotency WHERE created < $1 ORDER BY created LIMIT 5000)`, s.now().Add(-keysKept))
	return tag.RowsAffected(), unavailable(err)
}
