// SPDX-License-Identifier: Apache-2.0

// Package poll asks every provider, every evening, which slots its services offer.
//
// One replica polls: it holds a lock in the database, and every write carries a fencing token, so a replica that lost
// the lock without noticing changes nothing. What was reached is kept with the slots in one transaction; after a crash
// another replica goes on with the rest. The poll keeps to its window and to a pace, goes slower while people are being
// slowed down, opens few requests to any one provider's system, and backs off from a system that does not answer.
// What it did not reach is reported and stays as it was.
//
// fleet decides what to ask next and what an answer means, without a clock or a network; run does it.
package poll

import (
	"context"
	"errors"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

// Settings may change while the service runs; an evening that has begun keeps those it began with.
type Settings struct {
	// On says whether to poll at all.
	On bool
	// Hour and Minute are when the evening begins, in Zone.
	Hour, Minute int
	Zone         *time.Location
	// Window is how long it may last: 10 minutes to 12 hours.
	Window time.Duration
	// Limit is the most services asked in one evening.
	Limit int
	// Concurrency is how many requests are open at once, and PerSystem how many of them to one provider's system.
	Concurrency, PerSystem int
	// PerSecond is the pace of requests.
	PerSecond int
	// DaysAhead is how far ahead slots are asked for.
	DaysAhead int
}

// Target is a service to ask for.
type Target struct {
	Service int64
	// Endpoint is the root of the provider's API; services with the same one share a system.
	Endpoint string
}

// Outcome is what came of asking for a service.
type Outcome string

const (
	Updated  Outcome = "updated"  // the slots are what the provider said
	Refused  Outcome = "refused"  // the system does not keep the service, or its address cannot be right
	Invalid  Outcome = "invalid"  // the answer broke the contract and was not used
	Silent   Outcome = "silent"   // no answer in several attempts
	Unstored Outcome = "unstored" // the database refused what was answered
)

// Result is the outcome for one service.
type Result struct {
	Service int64
	Outcome Outcome
	// Slots is everything the service offers, when Outcome is Updated.
	Slots []provider.Slot
	// Attempts is how often it was asked, 1 or more.
	Attempts int
	At       time.Time
}

// Errors of a store.
var (
	// ErrElsewhere: another replica polls this evening.
	ErrElsewhere = errors.New("another replica polls this evening")
	// ErrDone: this evening's poll has ended.
	ErrDone = errors.New("this evening's poll has ended")
	// ErrFenced: another replica took this evening over; nothing was written.
	ErrFenced = errors.New("another replica took the evening over")
)

// RejectedError: the database refuses these results whenever they come, as opposed to being away.
type RejectedError struct{ Cause error }

func (e *RejectedError) Error() string { return "the database refuses the slots: " + e.Cause.Error() }
func (e *RejectedError) Unwrap() error { return e.Cause }

// Store keeps slots and progress. Its implementation is poll/postgres.
type Store interface {
	// Begin takes the evening (YYYY-MM-DD) for this replica: ErrElsewhere, ErrDone, or a hold on it.
	Begin(ctx context.Context, evening string) (Hold, error)
	// Status is how the last evening went, or goes.
	Status(ctx context.Context) (Status, error)
}

// Hold is the right to poll one evening.
type Hold interface {
	// Lost is closed when the hold may have passed to another replica.
	Lost() <-chan struct{}
	// Pending lists the services that have no outcome this evening, so that the outcomes never exceed limit. Their order
	// differs from evening to evening: when time runs out, it does not always run out for the same ones.
	Pending(ctx context.Context, limit int) ([]Target, error)
	// Apply stores results in one transaction: slots offered in the period are free unless they are booked, free slots in
	// it that are not offered any more are withdrawn. ErrFenced, *RejectedError, or the database is away.
	Apply(ctx context.Context, period provider.Period, results []Result) error
	// Finish ends the evening.
	Finish(ctx context.Context) error
	// Release gives the hold up.
	Release()
}

// Status is how an evening went, or goes.
type Status struct {
	// LastEvening is YYYY-MM-DD; empty before the first.
	LastEvening string `json:"lastEvening"`
	// Services is how many were to be asked, Asked how many have an outcome, Reached how many of those are Updated.
	Services int `json:"services"`
	Asked    int `json:"asked"`
	Reached  int `json:"reached"`
	// Running says that a replica polls now.
	Running bool `json:"running"`
}
