// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// Directory is what is offered: services and their free times.
type Directory interface {
	Services(ctx context.Context, who domain.Caller, q flow.ServiceQuery) ([]domain.Service, error)
	Service(ctx context.Context, id int64) (domain.Service, error)
	Slots(ctx context.Context, who domain.Caller, q flow.SlotQuery) (flow.SlotPage, error)
	Slot(ctx context.Context, who domain.Caller, id int64) (domain.Slot, error)
}

// Referrals is the referrals of a caller.
type Referrals interface {
	SignIn(ctx context.Context, ubrn domain.UBRN, accessCode string) (domain.Caller, error)
	Refer(ctx context.Context, who domain.Caller, key flow.Key, n flow.NewReferral) (flow.Created, error)
	Referral(ctx context.Context, who domain.Caller, ubrn domain.UBRN) (*domain.Referral, error)
	Worklist(ctx context.Context, who domain.Caller, q flow.WorklistQuery) ([]flow.WorklistItem, error)
}

// Appointments is what may be done to the appointment of a referral.
type Appointments interface {
	Book(ctx context.Context, who domain.Caller, key flow.Key, b flow.BookSlot) (*domain.Referral, error)
	Defer(ctx context.Context, who domain.Caller, key flow.Key, d flow.Deferral) (*domain.Referral, error)
	CancelAppointment(ctx context.Context, who domain.Caller, appointment int64, version int, reason domain.Reason) (*domain.Referral, error)
}

// Desk is everything that the pages ask for. Its errors are those of flow.Front.
type Desk interface {
	Directory
	Referrals
	Appointments
}
