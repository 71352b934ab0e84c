// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Restorer is who audit rows name for what a restore has changed.
const Restorer = "restore"

// Displace takes the slot from an appointment that a restore had back, because another patient was given the slot since.
// It becomes an ASI on its provider's worklist: both bookings were acknowledged, and no slot may be booked twice. An
// attempt, which nobody has acknowledged, ends as with a provider that does not answer: it becomes an ASI unless its
// referral has another appointment, which then stays. The slot's row is left alone.
//
// The provider's system is told to release what it booked by the request of this appointment, in case it still has it;
// the other booking has another request.
func Displace(ctx context.Context, tx pgx.Tx, now time.Time, appointment int64) error {
	a := &Attempt{Appointment: appointment}
	var ubrn int64
	var state domain.AppointmentState
	err := tx.QueryRow(ctx, `SELECT a.ubrn, a.state, s.id, s.name, s.organisation FROM booking.appointments a JOIN booking.services s ON s.id = a.service_id
		WHERE a.id = $1 AND a.state IN ('PENDING', 'BOOKED') FOR UPDATE OF a`, appointment).
		Scan(&ubrn, &state, &a.Service.ID, &a.Service.Name, &a.Service.Organisation)
	if err != nil {
		return missing(err)
	}
	a.UBRN = domain.UBRNFromNumber(ubrn)
	r, err := scanReferral(tx.QueryRow(ctx, `SELECT `+referralColumns+referralTables+`WHERE r.ubrn = $1 FOR UPDATE OF r`, ubrn))
	if err != nil {
		return err
	}
	c := &change{tx: tx, now: now.UTC(), who: domain.Caller{Application: Restorer}, referral: r}
	if err := c.release(ctx, appointment); err != nil {
		return err
	}
	event := domain.EventDisplace
	if state == domain.AppointmentPending {
		event = domain.EventDefer
		if _, err := r.State.Next(event); err != nil {
			c.fail(a)
			return tx.SendBatch(ctx, &c.batch).Close()
		}
	}
	if err := c.unslot(a, event, domain.SlotNotAvailable); err != nil {
		return err
	}
	return c.save(ctx, appointment)
}
