// SPDX-License-Identifier: Apache-2.0

package domain

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors that fronts branch on. Each is the answer to a caller, not a fault of
// the service.
var (
	// ErrNotFound: no such referral, appointment, service or slot, or none that
	// the caller may know of.
	ErrNotFound = errors.New("not found")
	// ErrSlotGone: the slot was free when it was shown and is not any more
	// (booked by another, withdrawn by the provider, or its time has come).
	ErrSlotGone = errors.New("the slot is no longer available: choose another slot")
	// ErrInProgress: another booking of this referral waits for a provider's
	// answer; try again within 2 minutes.
	ErrInProgress = errors.New("another booking attempt of this referral is waiting for the provider: try again in a few seconds")
	// ErrClosing: the service is being taken out of use; it answers what it holds
	// and takes back what it booked, and begins nothing.
	ErrClosing = errors.New("this service is closing: nothing new can be booked here; cancelling still works")
	// ErrSignIn: UBRN and access code do not belong together.
	ErrSignIn = errors.New("the booking reference or the access code is wrong")
)

// InvalidError is one unusable field of a request. It never repeats the value.
type InvalidError struct {
	Field string // path or name of the field
	Want  string // what was expected
	Fix   string // what to do
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s: expected %s; %s", e.Field, e.Want, e.Fix)
}

// InvalidErrors are all unusable fields of one request.
type InvalidErrors []*InvalidError

func (e InvalidErrors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// OrNil is nil for an empty list, so that it can be returned as an error.
func (e InvalidErrors) OrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// ForbiddenError: the caller is known and may not do this.
type ForbiddenError struct{ Why string }

func (e *ForbiddenError) Error() string { return e.Why }

// StateError: the referral's state does not allow the event.
type StateError struct {
	State State
	Event Event
}

func (e *StateError) Error() string {
	return fmt.Sprintf("a referral that is %s cannot be changed by %q: retrieve it again and act on its current state", e.State, e.Event)
}

// VersionError: If-Match named another version than the current one.
type VersionError struct{ Want, Current int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("version %d was expected and version %d is current: retrieve it again and repeat the change on what it holds now", e.Want, e.Current)
}

// RuleError: a published business rule forbids it; Code is the published error
// code (eRS-APIErrorCode-1).
type RuleError struct {
	Code string
	Why  string // what is wrong and what to do
}

func (e *RuleError) Error() string { return e.Why }

// ErrProviderSilent: the provider's system did not answer and nothing changed
// (a rebooking; the old appointment stands).
var ErrProviderSilent = errors.New("the provider's system did not answer in time, and your existing appointment stands: try again later")

// KeyConflictError: an idempotency key was used before with other content.
type KeyConflictError struct{}

func (*KeyConflictError) Error() string {
	return "this request identifier was used before for a request with other content: send a new identifier, or repeat the first request unchanged"
}

// OverloadedError: the service protects itself; try again after a while.
type OverloadedError struct{ RetryAfter time.Duration }

func (e *OverloadedError) Error() string {
	return fmt.Sprintf("too many requests: try again after %s", e.RetryAfter)
}
