// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// endedError: the attempt is not pending any more. Another replica ended it
// (it was abandoned for too long), or this one did and did not hear so.
type endedError struct {
	state    domain.AppointmentState
	referral *domain.Referral
}

func (e *endedError) Error() string { return "the booking attempt has ended as " + string(e.state) }

// resolve locks the referral of an attempt and, when the attempt is still
// pending, lets act end it; else the error is an *endedError.
func (s *Store) resolve(ctx context.Context, who domain.Caller, a *Attempt, act func(c *change) error) (*domain.Referral, error) {
	var r *domain.Referral
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		referral, err := scanReferral(tx.QueryRow(ctx, `SELECT `+referralColumns+referralTables+`WHERE r.ubrn = $1 FOR UPDATE OF r`, a.UBRN.Number()))
		if err != nil {
			return err
		}
		var state domain.AppointmentState
		if err := tx.QueryRow(ctx, `SELECT state FROM booking.appointments WHERE id = $1 FOR UPDATE`, a.Appointment).Scan(&state); err != nil {
			return missing(err)
		}
		if state != domain.AppointmentPending {
			return &endedError{state: state, referral: referral}
		}
		c := &change{tx: tx, now: s.now().UTC(), who: who, referral: referral}
		r = referral
		return act(c)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Confirm: the provider has booked the slot. It may be repeated. When the
// attempt was given up meanwhile, the referral is returned as it is.
func (s *Store) Confirm(ctx context.Context, who domain.Caller, a *Attempt) (*domain.Referral, error) {
	r, err := s.resolve(ctx, who, a, func(c *change) error { return c.confirm(ctx, a) })
	return settled(r, err)
}

func settled(r *domain.Referral, err error) (*domain.Referral, error) {
	var ended *endedError
	if errors.As(err, &ended) {
		return ended.referral, nil
	}
	return r, err
}

// Fail: the provider has surely not booked the slot. The attempt is forgotten
// with its key, so that the caller may repeat the request. gone says that the
// slot is not free there either; it is then no longer offered.
func (s *Store) Fail(ctx context.Context, who domain.Caller, a *Attempt, gone bool) error {
	_, err := s.resolve(ctx, who, a, func(c *change) error {
		c.drop(a, gone)
		return c.tx.SendBatch(ctx, &c.batch).Close()
	})
	_, err = settled(nil, err)
	return err
}

func (c *change) drop(a *Attempt, gone bool) {
	state := "FREE"
	if gone {
		state = "WITHDRAWN"
	}
	c.fail(a)
	c.batch.Queue(`UPDATE booking.slots SET state = $2 WHERE id = $1`, a.Slot.ID, state)
}

func (c *change) fail(a *Attempt) {
	c.batch.Queue(`UPDATE booking.appointments SET state = 'FAILED', lease_until = NULL, updated = $2 WHERE id = $1`, a.Appointment, c.now)
	c.batch.Queue(`DELETE FROM booking.idempotency WHERE ubrn = $1 AND appointment_id = $2`, a.UBRN.Number(), a.Appointment)
}

// Silent: nobody knows what the provider did. The provider is told to release
// whatever it booked, the slot is not offered until the next poll confirms it,
// and the referral becomes an ASI; a referral that is booked elsewhere keeps
// that appointment, and the error is domain.ErrProviderSilent.
func (s *Store) Silent(ctx context.Context, who domain.Caller, a *Attempt) (*domain.Referral, error) {
	kept := false
	r, err := s.resolve(ctx, who, a, func(c *change) error {
		if err := c.release(ctx, a.Appointment); err != nil {
			return err
		}
		if _, err := c.referral.State.Next(domain.EventDefer); err != nil {
			kept = true
			c.drop(a, true)
			return c.tx.SendBatch(ctx, &c.batch).Close()
		}
		if err := c.unslot(a, domain.EventDefer, domain.BookingAttemptProblem); err != nil {
			return err
		}
		c.batch.Queue(`UPDATE booking.slots SET state = 'WITHDRAWN' WHERE id = $1`, a.Slot.ID)
		return c.save(ctx, a.Appointment)
	})
	if err == nil && kept {
		return nil, domain.ErrProviderSilent
	}
	return settled(r, err)
}

// unslot makes an ASI of an appointment that has a slot; what becomes of the slot is the caller's.
func (c *change) unslot(a *Attempt, event domain.Event, code string) error {
	reason := domain.Reason{Set: domain.ReviewReasonSet, Code: code}
	if err := c.advance(event, reason); err != nil {
		return err
	}
	c.batch.Queue(`UPDATE booking.appointments SET state = 'DEFERRED', lease_until = NULL, slot_id = NULL, starts = NULL, ends = NULL,
		reason_set = $2, reason_code = $3, version = version + 1, updated = $4 WHERE id = $1`, a.Appointment, reason.Set, reason.Code, c.now)
	c.openASI(a.Appointment, a.Service, reason.Code)
	c.referral.Provider, c.referral.Reviewed = a.Service.Organisation, false
	c.referral.Appointment = &domain.Appointment{ID: a.Appointment, Version: 1, UBRN: a.UBRN, ServiceID: a.Service.ID, ServiceName: a.Service.Name,
		State: domain.AppointmentDeferred, Reason: reason, Created: c.now}
	return nil
}

// Abandoned takes over attempts whose replica died while the provider was
// asked: each is this replica's for another hold.
func (s *Store) Abandoned(ctx context.Context, hold time.Duration, limit int) ([]Attempt, error) {
	now := s.now()
	rows, err := s.pool.Query(ctx, `WITH mine AS (
			UPDATE booking.appointments SET lease_until = $2 WHERE id IN (
				SELECT id FROM booking.appointments WHERE state = 'PENDING' AND lease_until < $1 ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)
			RETURNING id, request, ubrn, slot_id, service_id)
		SELECT mine.id, mine.request::text, mine.ubrn, t.id, t.reference, t.starts, t.ends, t.clinician, s.id, s.name, s.organisation, s.endpoint
		FROM mine JOIN booking.services s ON s.id = mine.service_id JOIN booking.slots t ON t.id = mine.slot_id`, now, now.Add(hold), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, func(row pgx.CollectableRow) (Attempt, error) {
		var a Attempt
		var ubrn int64
		err := row.Scan(&a.Appointment, &a.Request, &ubrn, &a.Slot.ID, &a.Slot.Reference, &a.Slot.Start, &a.Slot.End, &a.Slot.Clinician,
			&a.Service.ID, &a.Service.Name, &a.Service.Organisation, &a.Service.Provider)
		a.UBRN = domain.UBRNFromNumber(ubrn)
		return a, err
	})
}

func collect[T any](rows pgx.Rows, each pgx.RowToFunc[T]) ([]T, error) {
	list, err := pgx.CollectRows(rows, each)
	return list, unavailable(err)
}

// contactDays is how many days a provider has to contact a deferred patient,
// by priority (reference data DEFER-TO-PROVIDER-CONTACT-DAYS has per-service
// figures; these are its defaults here).
var contactDays = map[domain.Priority]int{domain.TwoWeeks: 1, domain.Urgent: 4, domain.Routine: 10}

func (c *change) openASI(appointment int64, service domain.Service, reason string) {
	by := c.now.Add(time.Duration(contactDays[c.referral.Priority]) * 24 * time.Hour)
	c.batch.Queue(`INSERT INTO booking.asi (appointment_id, ubrn, service_id, organisation, reason, opened, contact_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		appointment, c.referral.UBRN.Number(), service.ID, service.Organisation, reason, c.now, by)
}
