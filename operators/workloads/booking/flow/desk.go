// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// Provider is a provider's own system.
type Provider interface {
	// Book books the attempt's slot; repeating it books once. The error is nil
	// (booked), ErrTaken (surely not booked, the slot is gone), ErrRefused
	// (surely not booked), or anything else: nobody knows.
	Book(ctx context.Context, a *store.Attempt) error
	// Release gives back what a booking request may have booked. It may be
	// repeated until it returns nil.
	Release(ctx context.Context, r store.Release) error
}

// Store is what the desk needs of package store.
type Store interface {
	Specialty(ctx context.Context, specialty string, limit int) ([]domain.Service, error)
	Services(ctx context.Context, ids []int64) ([]domain.Service, error)
	FreeSlots(ctx context.Context, service int64, from, to time.Time, clinician string, offset, limit int) ([]domain.Slot, int, error)
	Slot(ctx context.Context, id int64) (domain.Slot, error)
	Create(ctx context.Context, who domain.Caller, key store.Key, r *domain.Referral, access store.Access) (made *domain.Referral, repeated, taken bool, err error)
	Referral(ctx context.Context, ubrn domain.UBRN) (*domain.Referral, error)
	Appointment(ctx context.Context, id int64) (*domain.Appointment, error)
	AccessHash(ctx context.Context, ubrn domain.UBRN) (salt, hash []byte, err error)
	Attempts
	Endings
	Lists
}

// Attempts are how a booking comes to be.
type Attempts interface {
	Book(ctx context.Context, who domain.Caller, key store.Key, b store.Booking) (*domain.Referral, *store.Attempt, error)
	Confirm(ctx context.Context, who domain.Caller, a *store.Attempt) (*domain.Referral, error)
	Fail(ctx context.Context, who domain.Caller, a *store.Attempt, gone bool) error
	Silent(ctx context.Context, who domain.Caller, a *store.Attempt) (*domain.Referral, error)
	Abandoned(ctx context.Context, hold time.Duration, limit int) ([]store.Attempt, error)
	Defer(ctx context.Context, who domain.Caller, key store.Key, d store.Deferral) (*domain.Referral, error)
}

// Endings are how an appointment or a referral ends, or is reviewed.
type Endings interface {
	CancelAppointment(ctx context.Context, who domain.Caller, appointment int64, version int, reason domain.Reason) (*domain.Referral, error)
	CancelReferral(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error)
	Accept(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int) (*domain.Referral, error)
	Reject(ctx context.Context, who domain.Caller, ubrn domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error)
}

// Lists are the worklists.
type Lists interface {
	Referrer(ctx context.Context, l store.List) ([]store.Item, error)
	Provider(ctx context.Context, l store.List) ([]store.Item, error)
	SlotIssues(ctx context.Context, l store.List) ([]store.Item, error)
}

// Desk implements Front.
type Desk struct {
	store    Store
	provider Provider
	rules    func() Rules
	now      func() time.Time
	log      *slog.Logger
	services *serviceCache
}

var _ Front = (*Desk)(nil)

// Rules are what may change while the desk works.
type Rules struct {
	Answer time.Duration // how long a provider's system may take; at most 2 minutes
	Closed bool          // nothing new is begun; see domain.ErrClosing
}

// NewDesk makes a desk. rules is asked anew for every booking.
func NewDesk(s Store, p Provider, rules func() Rules, now func() time.Time, log *slog.Logger) *Desk {
	return &Desk{store: s, provider: p, rules: rules, now: now, log: log, services: newServiceCache(s, now)}
}

// open is nil while new work is taken.
func (d *Desk) open() error {
	if d.rules().Closed {
		return errors.Join(domain.ErrClosing, &domain.OverloadedError{RetryAfter: 5 * time.Minute})
	}
	return nil
}

// Referral implements Front.
func (d *Desk) Referral(ctx context.Context, who domain.Caller, ubrn domain.UBRN) (*domain.Referral, error) {
	if err := who.May(domain.ActRead); err != nil {
		return nil, err
	}
	r, err := d.store.Referral(ctx, ubrn)
	if err != nil {
		return nil, err
	}
	if err := who.Owns(r); err != nil {
		return nil, err
	}
	return r, nil
}

// Appointment implements Front.
func (d *Desk) Appointment(ctx context.Context, who domain.Caller, id int64) (*domain.Referral, *domain.Appointment, error) {
	if err := who.May(domain.ActRead); err != nil {
		return nil, nil, err
	}
	a, err := d.store.Appointment(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	r, err := d.Referral(ctx, who, a.UBRN)
	if err != nil {
		return nil, nil, err
	}
	return r, a, nil
}

// accessAlphabet has no characters that people confuse.
const accessAlphabet = "abcdefghjkmnpqrstuvwxyz23456789"

// newAccessCode draws a code such as "k7mf-2xqr-w9dp": 59 bits.
func newAccessCode() string {
	code := make([]byte, 0, 14)
	var one [1]byte
	for len(code) < cap(code) {
		if len(code) == 4 || len(code) == 9 {
			code = append(code, '-')
			continue
		}
		_, _ = rand.Read(one[:]) // never fails
		// 248 is the largest multiple of 31 in a byte: every character is equally likely.
		if one[0] < 248 {
			code = append(code, accessAlphabet[int(one[0])%len(accessAlphabet)])
		}
	}
	return string(code)
}
