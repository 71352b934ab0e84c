// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// probeService and ProbeUBRN are reserved for the deep probe: no list shows
// the service, and no drawn UBRN ends in a wrong check digit as this one does.
const (
	probeService = 999_999_999
	ProbeUBRN    = 1
)

// errConstraintGone: two bookings of one slot were accepted.
var errConstraintGone = errors.New("the database accepted two bookings of one slot: stop bookings and restore the index booking.one_booking_per_slot")

// Probe books a slot of the reserved service, proves that the database refuses
// a second booking of it, cancels, and commits: the commit is acknowledged by
// as many replicas as a real booking's. It leaves nothing behind.
func (s *Store) Probe(ctx context.Context) error {
	return s.transaction(ctx, func(tx pgx.Tx) error {
		now := s.now().UTC()
		var slot, first int64
		if _, err := tx.Exec(ctx, `INSERT INTO booking.services (id, name, organisation, specialty, bookable, priorities, probe)
			VALUES ($1, 'Deep probe', 'PROBE', 'PROBE', 'DIRECTLY_BOOKABLE', '{ROUTINE}', true) ON CONFLICT DO NOTHING`, probeService); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO booking.referrals (ubrn, request_id, state, patient, referrer, priority, specialty, shortlist, letter,
			pathway, created, updated, access_salt, access_hash)
			VALUES ($1, $2, 'CANCELLED_REFERRAL', '', 'PROBE', 'ROUTINE', 'PROBE', '[]', '', $3, $3, $3, '', '') ON CONFLICT DO NOTHING`,
			ProbeUBRN, newUUID(), now); err != nil {
			return err
		}
		// One probe at a time: the next waits for the row, not for the index.
		if _, err := tx.Exec(ctx, `SELECT FROM booking.referrals WHERE ubrn = $1 FOR UPDATE`, ProbeUBRN); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `INSERT INTO booking.slots (service_id, reference, starts, ends, state)
			VALUES ($1, $2, $3, $3::timestamptz + interval '1 minute', 'TAKEN') RETURNING id`, probeService, newUUID(), now).Scan(&slot)
		if err != nil {
			return err
		}
		book := func(tx pgx.Tx, state domain.AppointmentState) (id int64, err error) {
			err = tx.QueryRow(ctx, `INSERT INTO booking.appointments (ubrn, service_id, slot_id, starts, ends, state, request, created, updated)
				VALUES ($1, $2, $3, $4, $4, $5, $6, $4, $4) RETURNING id`, ProbeUBRN, probeService, slot, now, state, newUUID()).Scan(&id)
			return id, err
		}
		if first, err = book(tx, domain.AppointmentBooked); err != nil {
			return err
		}
		err = pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
			_, err := book(inner, domain.AppointmentPending)
			return err
		})
		switch {
		case err == nil:
			return errConstraintGone
		case violated(err) != "one_booking_per_slot":
			return fmt.Errorf("second booking of one slot: %w", err)
		}
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE booking.appointments SET state = 'CANCELLED' WHERE id = $1`, first)
		batch.Queue(`DELETE FROM booking.appointments WHERE id = $1`, first)
		batch.Queue(`DELETE FROM booking.slots WHERE id = $1`, slot)
		return tx.SendBatch(ctx, batch).Close()
	})
}
