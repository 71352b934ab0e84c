// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Deferral says what to defer; see flow.Deferral.
type Deferral struct {
	UBRN    domain.UBRN
	Version int
	Service int64
	Slot    int64 // the slot that was wanted; 0: none
	Reason  domain.Reason
}

// Defer makes an ASI at the service or sends the referral for triage. A
// referral that is deferred there already is returned as it is: a client that
// got no answer to its booking asks for what was done for it.
func (s *Store) Defer(ctx context.Context, who domain.Caller, key Key, d Deferral) (r *domain.Referral, err error) {
	var again *claimed
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		used, err := s.claim(ctx, tx, key, d.UBRN)
		if err != nil {
			return err
		}
		if used != nil {
			again = used
			return errRepeated
		}
		c, err := s.lock(ctx, tx, who, d.UBRN, d.Version)
		if err != nil {
			var old *domain.VersionError
			if !errors.As(err, &old) || d.Reason.Code != domain.BookingAttemptProblem {
				return err
			}
			// The failed booking itself has raised the version.
			if c, err = s.lock(ctx, tx, who, d.UBRN, 0); err != nil {
				return err
			}
			if !c.deferredAt(d.Service) {
				return old
			}
		}
		r = c.referral
		if c.deferredAt(d.Service) && d.Reason.Code != domain.ReviewTriage {
			c.remember(key, c.referral.Appointment.ID)
			return tx.SendBatch(ctx, &c.batch).Close()
		}
		return c.postpone(ctx, key, d)
	})
	if errors.Is(err, errRepeated) {
		return s.repeated(ctx, who, again)
	}
	return r, err
}

func (c *change) deferredAt(service int64) bool {
	a := c.referral.Appointment
	return a != nil && a.State == domain.AppointmentDeferred && a.ServiceID == service
}

// postpone checks the published rules of a deferral and makes it.
func (c *change) postpone(ctx context.Context, key Key, d Deferral) error {
	event, state := domain.EventDefer, domain.AppointmentDeferred
	if d.Reason.Code == domain.ReviewTriage {
		event, state = domain.EventTriage, domain.AppointmentTriage
	}
	if err := c.advance(event, d.Reason); err != nil {
		return err
	}
	if !c.referral.Shortlisted(d.Service) {
		return &domain.RuleError{Code: "INAPPROPRIATE_VALUE", Why: "the service is not on the referral's shortlist: choose one that is, or change the shortlist"}
	}
	var service domain.Service
	var free, wanted bool
	err := c.tx.QueryRow(ctx, `SELECT id, name, organisation, bookable,
		EXISTS (SELECT FROM booking.slots t WHERE t.service_id = s.id AND t.state = 'FREE' AND t.starts > $2),
		EXISTS (SELECT FROM booking.slots t WHERE t.service_id = s.id AND t.state = 'FREE' AND t.starts > $2 AND t.id = $3)
		FROM booking.services s WHERE id = $1 AND active`, d.Service, c.now, d.Slot).
		Scan(&service.ID, &service.Name, &service.Organisation, &service.Bookable, &free, &wanted)
	if err != nil {
		return missing(err)
	}
	triage := state == domain.AppointmentTriage
	switch {
	case triage != (service.Bookable == domain.NotBookable) || service.Bookable == domain.IndirectlyBookable:
		return &domain.RuleError{Code: "INAPPROPRIATE_VALUE", Why: "the reason does not fit the service: TRIAGE is for triage services, the others are for directly bookable ones"}
	case d.Reason.Code == domain.NoSlotsAtService && free:
		return &domain.RuleError{Code: "SLOTS_CURRENTLY_AVAILABLE", Why: "the service has free slots: retrieve them and book one"}
	case d.Reason.Code == domain.SlotNotAvailable && wanted:
		return &domain.RuleError{Code: "THIS_SLOT_IS_AVAILABLE", Why: "the slot is free: book it"}
	}
	a := &domain.Appointment{UBRN: d.UBRN, ServiceID: service.ID, ServiceName: service.Name, State: state, Reason: d.Reason, Created: c.now}
	err = c.tx.QueryRow(ctx, `INSERT INTO booking.appointments (ubrn, service_id, state, reason_set, reason_code, reason_comment, request, created, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id`,
		d.UBRN.Number(), service.ID, state, d.Reason.Set, d.Reason.Code, d.Reason.Comment, newUUID(), c.now).Scan(&a.ID)
	if err != nil {
		return err
	}
	if !triage {
		c.openASI(a.ID, service, d.Reason.Code)
	}
	c.referral.Provider, c.referral.Reviewed, c.referral.Appointment = service.Organisation, false, a
	c.remember(key, a.ID)
	return c.save(ctx, a.ID)
}
