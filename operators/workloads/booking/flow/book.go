// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"errors"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// Certain answers of a provider's system; see Provider.
var (
	ErrTaken   = errors.New("the provider's slot is taken")
	ErrRefused = errors.New("the provider's system refused the booking")
)

// settleFor is how long the outcome of a booking is tried to be stored after
// the provider's answer, whatever became of the caller. A database failover
// takes less.
const settleFor = 60 * time.Second

// Book implements Front.
func (d *Desk) Book(ctx context.Context, who domain.Caller, key Key, b BookSlot) (*domain.Referral, error) {
	if err := who.May(domain.ActBook); err != nil {
		return nil, err
	}
	if err := errors.Join(d.open(), key.check()); err != nil {
		return nil, err
	}
	r, attempt, err := d.store.Book(ctx, who, key.of(who), store.Booking{UBRN: b.UBRN, Version: b.Version, Service: b.Service, Slot: b.Slot,
		Hold: d.rules().Answer + settleFor + 30*time.Second})
	if err != nil || attempt == nil {
		return r, err
	}
	return d.ask(ctx, who, attempt)
}

// ask asks the provider and stores what came of it. From here on the caller
// may go away: the provider may have booked.
func (d *Desk) ask(ctx context.Context, who domain.Caller, a *store.Attempt) (*domain.Referral, error) {
	ctx = context.WithoutCancel(ctx)
	asking, cancel := context.WithTimeout(ctx, d.rules().Answer)
	answer := d.provider.Book(asking, a)
	cancel()
	settling, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	switch {
	case answer == nil:
		return d.settle(settling, func() (*domain.Referral, error) { return d.store.Confirm(settling, who, a) })
	case errors.Is(answer, ErrTaken), errors.Is(answer, ErrRefused):
		gone := errors.Is(answer, ErrTaken)
		_, err := d.settle(settling, func() (*domain.Referral, error) { return nil, d.store.Fail(settling, who, a, gone) })
		if err != nil {
			return nil, err
		}
		if gone {
			return nil, domain.ErrSlotGone
		}
		return nil, &domain.RuleError{Code: "PAS_RESPONDED_WITH_ERROR", Why: "the provider's system refused the booking: choose another slot or service, or defer to the provider"}
	}
	d.log.Warn("provider gave no answer to a booking", "service", a.Service.ID, "appointment", a.Appointment, "error", answer)
	return d.settle(settling, func() (*domain.Referral, error) { return d.store.Silent(settling, who, a) })
}

// settle repeats act while the database is away.
func (d *Desk) settle(ctx context.Context, act func() (*domain.Referral, error)) (*domain.Referral, error) {
	wait := 100 * time.Millisecond
	for {
		r, err := act()
		var away *domain.OverloadedError
		if err == nil || !errors.As(err, &away) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
			wait = min(2*wait, 2*time.Second)
		}
	}
}

// recoverer is who ends the attempts of replicas that died.
var recoverer = domain.Caller{Application: "booking-service", Role: "SYSTEM"}

// Recover ends booking attempts that were abandoned, by asking the provider
// again: a booking request that is repeated books once. It returns how many.
func (d *Desk) Recover(ctx context.Context) (int, error) {
	left, err := d.store.Abandoned(ctx, d.rules().Answer+settleFor+30*time.Second, 20)
	for i := range left {
		if _, err := d.ask(ctx, recoverer, &left[i]); err != nil {
			d.log.Info("abandoned booking attempt ended", "appointment", left[i].Appointment, "as", err)
		}
	}
	return len(left), err
}

// Defer implements Front.
func (d *Desk) Defer(ctx context.Context, who domain.Caller, key Key, f Deferral) (*domain.Referral, error) {
	if err := who.May(domain.ActBook); err != nil {
		return nil, err
	}
	if err := errors.Join(d.open(), key.check()); err != nil {
		return nil, err
	}
	switch f.Reason {
	case domain.NoSlotsAtService, domain.SlotNotAvailable, domain.BookingAttemptProblem, domain.ReviewTriage:
	default:
		return nil, domain.InvalidErrors{{Field: "reason", Want: "a code of eRS-ReviewReason-1",
			Fix: "send NO_SLOTS_AT_SERVICE, SLOT_NOT_AVAILABLE, BOOKING_ATTEMPT_PROBLEM or TRIAGE"}}
	}
	if err := checkComment("comment", f.Comment); err != nil {
		return nil, err
	}
	return d.store.Defer(ctx, who, key.of(who), store.Deferral{UBRN: f.UBRN, Version: f.Version, Service: f.Service, Slot: f.Slot,
		Reason: domain.Reason{Set: domain.ReviewReasonSet, Code: f.Reason, Comment: f.Comment}})
}

// maxComment bounds free text, in bytes.
const maxComment = 2000

func checkComment(field, text string) error {
	if len(text) > maxComment {
		return domain.InvalidErrors{{Field: field, Want: "at most 2000 bytes", Fix: "shorten it"}}
	}
	return nil
}
