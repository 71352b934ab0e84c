// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Front is everything that a front can ask. *Desk is the implementation;
// fronts should declare the few methods they use as their own interface.
//
// Errors, for all methods: domain.InvalidErrors (a field is unusable),
// *domain.ForbiddenError, domain.ErrNotFound, *domain.StateError,
// *domain.VersionError, *domain.KeyConflictError, domain.ErrInProgress,
// domain.ErrSlotGone, *domain.OverloadedError; anything else is a fault of the
// service (500).
type Front interface {
	// Services finds services, nearest or soonest first.
	Services(ctx context.Context, who domain.Caller, q ServiceQuery) ([]domain.Service, error)
	// Service is one service by id. Names of services are public.
	Service(ctx context.Context, id int64) (domain.Service, error)
	// Slots lists free slots in the future.
	Slots(ctx context.Context, who domain.Caller, q SlotQuery) (SlotPage, error)
	// Slot is one slot, free or not.
	Slot(ctx context.Context, who domain.Caller, id int64) (domain.Slot, error)

	// Refer creates a referral with its shortlist.
	Refer(ctx context.Context, who domain.Caller, key Key, n NewReferral) (Created, error)
	// Referral retrieves one, with its current appointment.
	Referral(ctx context.Context, who domain.Caller, ubrn domain.UBRN) (*domain.Referral, error)
	// Appointment retrieves the referral that the appointment belongs to, and
	// the appointment itself, current or not.
	Appointment(ctx context.Context, who domain.Caller, id int64) (*domain.Referral, *domain.Appointment, error)

	// Book books or rebooks. It waits for the provider's system, at most 2
	// minutes; without an answer the referral is deferred to the provider and
	// the returned appointment is AppointmentDeferred: not an error.
	Book(ctx context.Context, who domain.Caller, key Key, b BookSlot) (*domain.Referral, error)
	// Defer makes an ASI, or sends for triage.
	Defer(ctx context.Context, who domain.Caller, key Key, d Deferral) (*domain.Referral, error)
	// CancelAppointment ends the current appointment; version is the
	// appointment's, -1 for whichever is current.
	CancelAppointment(ctx context.Context, who domain.Caller, appointment int64, version int, reason domain.Reason) (*domain.Referral, error)
	// CancelReferral ends the referral and its appointment; version is the
	// referral's, 0 for whichever is current. The same holds for the next two.
	CancelReferral(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error)
	// Accept marks a booked referral as reviewed by its provider.
	Accept(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int) (*domain.Referral, error)
	// Reject sends a referral back to its referrer.
	Reject(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error)

	// Worklist is one list of the caller's organisation.
	Worklist(ctx context.Context, who domain.Caller, q WorklistQuery) ([]WorklistItem, error)
	// SignIn makes a patient's Caller of a UBRN and its access code, or
	// domain.ErrSignIn for any mismatch. Throttling is the front's.
	SignIn(ctx context.Context, ubrn domain.UBRN, accessCode string) (domain.Caller, error)
}
