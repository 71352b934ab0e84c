// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// CancelAppointment implements Front.
func (d *Desk) CancelAppointment(ctx context.Context, who domain.Caller, appointment int64, version int, reason domain.Reason) (*domain.Referral, error) {
	if err := who.May(domain.ActCancelAppointment); err != nil {
		return nil, err
	}
	set := domain.AppointmentReasons
	if who.Provides() {
		set = domain.ProviderCancelReasons
	}
	if err := checkReason(set, reason); err != nil {
		return nil, err
	}
	return d.store.CancelAppointment(ctx, who, appointment, version, reason)
}

// CancelReferral implements Front.
func (d *Desk) CancelReferral(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	if err := who.May(domain.ActCancelReferral); err != nil {
		return nil, err
	}
	if err := checkReason(domain.ReferralReasons, reason); err != nil {
		return nil, err
	}
	return d.store.CancelReferral(ctx, who, ubrn, version, reason)
}

// Accept implements Front.
func (d *Desk) Accept(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int) (*domain.Referral, error) {
	if err := who.May(domain.ActReview); err != nil {
		return nil, err
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	return d.store.Accept(ctx, who, ubrn, version)
}

// Reject implements Front.
func (d *Desk) Reject(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	if err := who.May(domain.ActReview); err != nil {
		return nil, err
	}
	if err := checkReason(domain.RejectionReasons, reason); err != nil {
		return nil, err
	}
	return d.store.Reject(ctx, who, ubrn, version, reason)
}

func checkReason(set domain.ReasonSet, reason domain.Reason) error {
	if err := set.Check(reason); err != nil {
		return err
	}
	return checkComment("comment", reason.Comment)
}
