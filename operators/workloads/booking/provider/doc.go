// SPDX-License-Identifier: Apache-2.0

// Package provider speaks to the booking systems of the organisations that see patients: it asks which slots
// they offer, books one and cancels it. The contract is openapi.yaml in this folder.
//
// Three properties of the contract carry the safety of a booking:
//   - the caller names a booking (a UUID) and PUTs it, so a repeated request books once;
//   - a DELETE of a name that was never booked is remembered, so a PUT that arrives late books nothing;
//   - a full picture of a period is read at once, so what is missing from it is gone.
//
// No patient data leaves by this way: a booking carries the UBRN only, in the body.
package provider

import (
	_ "embed"
	"time"
)

// OpenAPI is the contract that a provider's system must keep, as YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

const (
	// AnswerLimit is how long a provider's system may take to answer a booking. After it the referral is
	// deferred to the provider: an appointment-slot issue on its worklist.
	AnswerLimit = 2 * time.Minute
	// MaxSlots bounds one answer: a service that offers more in one period splits nothing, it is refused.
	MaxSlots = 5000
	// MaxAnswerBytes bounds the body of one answer, in bytes: 5,000 slots at 160 bytes and room to spare.
	MaxAnswerBytes = 1 << 20
	// MaxSlotLength is the longest slot accepted; longer ones are a sign of a wrong end.
	MaxSlotLength = 24 * time.Hour
)

// Service is where one bookable service is kept.
type Service struct {
	// ID is the service's id in our directory, sent to the provider: 1 to 64 of A-Z a-z 0-9 . _ -
	ID string
	// Endpoint is the root of the provider's API: an https URL without query.
	Endpoint string
}

// Period is a half-open span of time [From, To), whole seconds.
type Period struct{ From, To time.Time }

// Slot is one appointment that can be booked at the provider.
type Slot struct {
	// ID is the provider's own name of it, unique within the service: 1 to 64 of A-Z a-z 0-9 . _ -
	ID string
	// Start and End are UTC; Start lies in the period asked for, End after it.
	Start, End time.Time
}

// Booking asks for one slot.
type Booking struct {
	// Request names the booking: a UUID, the same in every repetition of it.
	Request string
	// Slot is Slot.ID.
	Slot string
	// Start is the start that the patient was shown; a provider that moved the slot refuses.
	Start time.Time
	// UBRN is the referral's 12-digit reference.
	UBRN string
}
