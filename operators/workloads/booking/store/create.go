// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Access is how a referral's access code is kept.
type Access struct{ Salt, Hash []byte }

// errRepeated leaves a transaction that found its key used.
var errRepeated = errors.New("repeated request")

// errNumberTaken leaves a transaction whose UBRN exists.
var errNumberTaken = errors.New("UBRN taken")

// Create stores a new referral under r.UBRN. With a key that was used before it
// returns the referral made then, and repeated is true. taken is true when the
// UBRN exists: draw another.
func (s *Store) Create(ctx context.Context, who domain.Caller, key Key, r *domain.Referral, access Access) (made *domain.Referral, repeated, taken bool, err error) {
	var first domain.UBRN
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		used, err := s.claim(ctx, tx, key, r.UBRN)
		if err != nil {
			return err
		}
		if used != nil {
			first = used.ubrn
			return errRepeated
		}
		short := make([]shortlisted, len(r.Shortlist))
		for i, entry := range r.Shortlist {
			short[i] = shortlisted{ID: entry.ServiceID, Name: entry.Name}
		}
		c := &change{tx: tx, now: r.Created, who: who, referral: r, event: "create"}
		tag, err := tx.Exec(ctx, `INSERT INTO booking.referrals (ubrn, version, request_id, state, patient, referrer, clinician, priority, specialty,
			clinic_type, shortlist, letter, pathway, created, updated, access_salt, access_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16) ON CONFLICT DO NOTHING`,
			r.UBRN.Number(), r.Version, r.RequestID, r.State, r.Patient.Digits(), r.Referrer, r.Clinician, r.Priority, r.Specialty,
			r.ClinicType, short, r.Letter, r.Pathway, r.Created, access.Salt, access.Hash)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errNumberTaken
		}
		c.audit(0)
		if err := c.emit(0); err != nil {
			return err
		}
		return tx.SendBatch(ctx, &c.batch).Close()
	})
	switch {
	case errors.Is(err, errRepeated):
		made, err = s.Referral(ctx, first)
		return made, true, false, err
	case errors.Is(err, errNumberTaken):
		return nil, false, true, nil
	case err != nil:
		return nil, false, false, err
	}
	return r, false, false, nil
}

// NewRequestID is the published form of a request identifier's value.
func NewRequestID() string { return newUUID() }
