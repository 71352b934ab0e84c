// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Attempt is a slot that is held while a provider's system is asked.
type Attempt struct {
	Appointment int64
	Request     string // how the provider knows this booking; a UUID
	Service     domain.Service
	Slot        domain.Slot
	UBRN        domain.UBRN
}

// Booking says what to book.
type Booking struct {
	UBRN    domain.UBRN
	Version int // of the referral; 0: any
	Service int64
	Slot    int64
	Hold    time.Duration // how long an attempt may wait for the provider before it counts as abandoned
}

// Book takes the slot. At a service without a provider's system the booking is
// complete (attempt is nil); else the slot is held and Confirm, Fail or Silent
// must follow. A repeated key returns the referral as it is, and nil.
//
// Whether the slot is free is decided by the index one_booking_per_slot alone.
func (s *Store) Book(ctx context.Context, who domain.Caller, key Key, b Booking) (r *domain.Referral, attempt *Attempt, err error) {
	var again *claimed
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		used, err := s.claim(ctx, tx, key, b.UBRN)
		if err != nil {
			return err
		}
		if used != nil {
			again = used
			return errRepeated
		}
		c, err := s.lock(ctx, tx, who, b.UBRN, b.Version)
		if err != nil {
			return err
		}
		if _, err := c.referral.State.Next(domain.EventBook); err != nil {
			return err
		}
		if !c.referral.Shortlisted(b.Service) {
			return &domain.RuleError{Code: "INAPPROPRIATE_VALUE", Why: "the service is not on the referral's shortlist: choose one that is, or change the shortlist"}
		}
		held, err := c.hold(ctx, b)
		if err != nil {
			return err
		}
		c.remember(key, held.Appointment)
		c.batch.Queue(`UPDATE booking.slots SET state = 'TAKEN' WHERE id = $1`, b.Slot)
		if held.Service.Provider != "" {
			attempt = held
			return tx.SendBatch(ctx, &c.batch).Close()
		}
		r, err = c.referral, c.confirm(ctx, held)
		return err
	})
	if errors.Is(err, errRepeated) {
		r, err = s.repeated(ctx, who, again)
		return r, nil, err
	}
	return r, attempt, err
}

// hold inserts the attempt. The slot row is not asked whether it is free.
func (c *change) hold(ctx context.Context, b Booking) (*Attempt, error) {
	a := &Attempt{Request: newUUID(), UBRN: b.UBRN}
	err := c.tx.QueryRow(ctx, `WITH chosen AS (
			SELECT t.id, t.reference, t.starts, t.ends, t.clinician, s.id AS service, s.name, s.organisation, s.endpoint, s.bookable
			FROM booking.slots t JOIN booking.services s ON s.id = t.service_id
			WHERE t.id = $1 AND s.id = $2 AND s.active AND t.state <> 'WITHDRAWN' AND t.starts > $3),
		made AS (
			INSERT INTO booking.appointments (ubrn, service_id, slot_id, starts, ends, clinician, state, request, lease_until, created, updated)
			SELECT $4, service, id, starts, ends, clinician, 'PENDING', $5, $6, $3, $3 FROM chosen RETURNING id)
		SELECT made.id, chosen.id, reference, starts, ends, clinician, service, name, organisation, endpoint, bookable FROM chosen, made`,
		b.Slot, b.Service, c.now, b.UBRN.Number(), a.Request, c.now.Add(b.Hold)).
		Scan(&a.Appointment, &a.Slot.ID, &a.Slot.Reference, &a.Slot.Start, &a.Slot.End, &a.Slot.Clinician,
			&a.Service.ID, &a.Service.Name, &a.Service.Organisation, &a.Service.Provider, &a.Service.Bookable)
	switch {
	case violated(err) == "one_booking_per_slot", errors.Is(err, pgx.ErrNoRows):
		return nil, domain.ErrSlotGone
	case violated(err) == "one_attempt_per_referral":
		return nil, domain.ErrInProgress
	case err != nil:
		return nil, err
	case a.Service.Bookable != domain.DirectlyBookable:
		return nil, &domain.RuleError{Code: "INAPPROPRIATE_VALUE", Why: "the service is not directly bookable: its patients telephone it, or are sent for triage"}
	}
	a.Slot.ServiceID = a.Service.ID
	return a, nil
}

// confirm makes the held attempt the referral's appointment; a former one ends
// in the same transaction.
func (c *change) confirm(ctx context.Context, a *Attempt) error {
	if err := c.advance(domain.EventBook, domain.Reason{}); err != nil {
		return err
	}
	if err := c.end(ctx, domain.AppointmentCancelled, domain.Reason{}); err != nil {
		return err
	}
	c.batch.Queue(`UPDATE booking.appointments SET state = 'BOOKED', lease_until = NULL, updated = $2 WHERE id = $1`, a.Appointment, c.now)
	c.referral.Provider, c.referral.Reviewed = a.Service.Organisation, false
	c.referral.Appointment = &domain.Appointment{ID: a.Appointment, UBRN: a.UBRN, ServiceID: a.Service.ID, ServiceName: a.Service.Name, SlotID: a.Slot.ID,
		Start: a.Slot.Start.UTC(), End: a.Slot.End.UTC(), Clinician: a.Slot.Clinician, State: domain.AppointmentBooked, Created: c.now}
	return c.save(ctx, a.Appointment)
}

// repeated is the answer to a key that was used before: the referral as it is
// now, or domain.ErrInProgress while the first use still waits.
func (s *Store) repeated(ctx context.Context, who domain.Caller, first *claimed) (*domain.Referral, error) {
	r, err := s.Referral(ctx, first.ubrn)
	if err != nil {
		return nil, err
	}
	if err := who.Owns(r); err != nil {
		return nil, err
	}
	if r.Appointment == nil || r.Appointment.ID != first.appointment {
		a, err := s.Appointment(ctx, first.appointment)
		if errors.Is(err, domain.ErrNotFound) {
			return nil, domain.ErrInProgress
		}
		if err != nil {
			return nil, err
		}
		r.Appointment = a
	}
	return r, nil
}
