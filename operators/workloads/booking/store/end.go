// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// CancelAppointment ends the referral's current appointment. version is the
// appointment's (-1: any).
func (s *Store) CancelAppointment(ctx context.Context, who domain.Caller, appointment int64, version int, reason domain.Reason) (*domain.Referral, error) {
	a, err := s.Appointment(ctx, appointment)
	if err != nil {
		return nil, err
	}
	event := domain.EventCancelByPatient
	if who.Provides() {
		event = domain.EventCancelByProvider
	}
	return s.act(ctx, who, a.UBRN, 0, func(c *change) error {
		current := c.referral.Appointment
		if current == nil || current.ID != appointment {
			return &domain.StateError{State: c.referral.State, Event: event}
		}
		if version >= 0 && version != current.Version {
			return &domain.VersionError{Want: version, Current: current.Version}
		}
		if err := c.advance(event, reason); err != nil {
			return err
		}
		if err := c.end(ctx, domain.AppointmentCancelled, reason); err != nil {
			return err
		}
		c.leaveProvider(event)
		return nil
	})
}

// leaveProvider takes the referral off its provider's lists, except after a
// cancellation by the provider, who acts on it later.
func (c *change) leaveProvider(event domain.Event) {
	if event != domain.EventCancelByProvider {
		c.referral.Provider = ""
	}
	c.referral.Reviewed = false
}

// CancelReferral ends the referral and its current appointment.
func (s *Store) CancelReferral(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	return s.act(ctx, who, ubrn, version, func(c *change) error {
		if err := c.advance(domain.EventCancelReferral, reason); err != nil {
			return err
		}
		return c.end(ctx, domain.AppointmentCancelled, domain.Reason{})
	})
}

// Accept marks the booked referral as reviewed.
func (s *Store) Accept(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int) (*domain.Referral, error) {
	return s.act(ctx, who, ubrn, version, func(c *change) error {
		if c.referral.Reviewed {
			return &domain.StateError{State: c.referral.State, Event: domain.EventAccept}
		}
		if err := c.advance(domain.EventAccept, domain.Reason{}); err != nil {
			return err
		}
		c.referral.Reviewed = true
		return nil
	})
}

// Reject sends the referral back to its referrer.
func (s *Store) Reject(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	return s.act(ctx, who, ubrn, version, func(c *change) error {
		if err := c.advance(domain.EventReject, reason); err != nil {
			return err
		}
		return c.end(ctx, domain.AppointmentRejected, reason)
	})
}

// act is one change of one referral that keeps its current appointment's id.
func (s *Store) act(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, do func(c *change) error) (*domain.Referral, error) {
	var r *domain.Referral
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		c, err := s.lock(ctx, tx, who, ubrn, version)
		if err != nil {
			return err
		}
		if err := do(c); err != nil {
			return err
		}
		r = c.referral
		var appointment int64
		if r.Appointment != nil {
			appointment = r.Appointment.ID
		}
		return c.save(ctx, appointment)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
