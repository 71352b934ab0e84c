// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// NoAnswerError says that nothing usable came back in time: what the provider did is unknown.
type NoAnswerError struct {
	// After is how long we waited.
	After time.Duration
	// Cause is the transport's error, or the status of a failing server.
	Cause error
}

func (e *NoAnswerError) Error() string {
	return fmt.Sprintf("the provider's system gave no answer within %s: %v", e.After.Round(time.Millisecond), e.Cause)
}

func (e *NoAnswerError) Unwrap() error { return e.Cause }

// InvalidAnswerError says that an answer breaks the contract. None of it is used.
type InvalidAnswerError struct {
	// Problems holds at most maxProblems findings, each with the path of the field. They quote no values.
	Problems []string
}

func (e *InvalidAnswerError) Error() string {
	return "the provider's answer breaks the contract: " + strings.Join(e.Problems, "; ")
}

// SlotTakenError says for certain that the slot is no longer free at the provider.
type SlotTakenError struct{}

func (*SlotTakenError) Error() string {
	return "the slot has been taken at the provider: choose another"
}

// RefusedError says for certain that the provider did not do what was asked, and will not on repetition.
type RefusedError struct {
	// Status is the HTTP status, 400 to 499.
	Status int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the provider's system refused with status %d", e.Status)
}

// BusyError says that the provider's system did nothing yet and asks to come back later.
type BusyError struct {
	// After is how long it asks us to wait, 1 second to 1 hour.
	After time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("the provider's system is busy: try again after %s", e.After)
}

// OutcomeUnknown says that after err nobody knows whether the provider booked: the referral is deferred to it, and
// the booking is cancelled by its request name so that a late success holds no slot.
func OutcomeUnknown(err error) bool {
	var silent *NoAnswerError
	var invalid *InvalidAnswerError
	return errors.As(err, &silent) || errors.As(err, &invalid)
}
