// SPDX-License-Identifier: Apache-2.0

// Package check compares what senders were told with what receivers got and with what the database holds.
package check

import (
	"fmt"
	"io"
	"time"
)

// listed is how many cases of each defect a result names; all are counted.
const listed = 20

// Defect is one way in which the system broke its promise.
type Defect string

// The defects. Each makes a run bad.
const (
	// Lost: acknowledged, and neither delivered nor held by the ledger.
	Lost Defect = "lost"
	// NotInLedger: acknowledged and delivered, but the ledger does not know it: a retry would go through again.
	NotInLedger Defect = "not in the ledger"
	// Redone: delivered again after the receiver's settlement was taken.
	Redone Defect = "delivered after settle"
	// TwoNames: one request ID was acknowledged, or delivered, under two message IDs.
	TwoNames Defect = "two message IDs for one request"
	// WrongReceiver: delivered to another mailbox than it was addressed to.
	WrongReceiver Defect = "wrong receiver"
	// WrongBody: delivered with another body than was sent.
	WrongBody Defect = "wrong body"
	// Late: delivered for the first time after the time allowed.
	Late Defect = "late"
	// Refusal: refused, but delivered or held all the same.
	Refusal Defect = "refused but delivered"
	// Alien: something was delivered that no generator made, or that was damaged on its way.
	Alien Defect = "foreign or damaged body"
	// DoubleBooked: two acknowledged bookings of one slot lived at the same time.
	DoubleBooked Defect = "double-booked"
	// BookingLost: a booking was acknowledged, never cancelled, and the database does not hold it.
	BookingLost Defect = "booking lost"
	// Displaced: a booking was acknowledged and never cancelled, another one has had its slot since, and its referral is an
	// appointment slot issue now. That is so after a restore of the database brought it back, and may not be at any other time.
	Displaced Defect = "displaced, an appointment slot issue"
	// Uncancelled: the cancelling was acknowledged, but the database still holds the booking.
	Uncancelled Defect = "cancelled but still booked"
)

// Order in which defects are shown: the worst first.
var Order = []Defect{Lost, BookingLost, DoubleBooked, Displaced, Redone, WrongReceiver, WrongBody, TwoNames, NotInLedger, Refusal, Uncancelled, Late, Alien}

// Finding is every case of one defect.
type Finding struct {
	Defect Defect `json:"defect"`
	Count  int64  `json:"count"`
	// Cases describes the first of them.
	Cases []string `json:"cases"`
}

// Counts of a run. Messages and bookings are counted by themselves; each counts once however often it was tried.
type Counts struct {
	Acknowledged int64 `json:"acknowledged"`
	Duplicates   int64 `json:"duplicates"`
	Refused      int64 `json:"refused"`
	Ambiguous    int64 `json:"ambiguous"`
	Delivered    int64 `json:"delivered"`
	Settled      int64 `json:"settled"`
	// Redelivered counts deliveries that repeat an unsettled one, which the contract allows.
	Redelivered int64 `json:"redelivered"`
	// Pending are acknowledged and held by the ledger, but not delivered yet: no loss, and not the end either.
	Pending int64 `json:"pending"`
	// Unrecorded were delivered without any word from their sender: its process was killed before it could write.
	Unrecorded int64 `json:"unrecorded"`
	// Bookings acknowledged, and those of them cancelled.
	Bookings  int64 `json:"bookings"`
	Cancelled int64 `json:"cancelled"`
	// BookingsRefused counts tries for slots that somebody else had; BookingsAmbiguous those without a clear answer.
	BookingsRefused   int64 `json:"bookingsRefused"`
	BookingsAmbiguous int64 `json:"bookingsAmbiguous"`
}

// Result of a check.
type Result struct {
	Counts   Counts    `json:"counts"`
	Findings []Finding `json:"findings"`
	// Messages and Bookings are told apart: either may go on while the other stands still.
	Messages Times `json:"messages"`
	Bookings Times `json:"bookings"`
	// Deliver is the time from a message's intended start to its first delivery.
	Deliver Latencies `json:"deliver"`
}

// Times of the acknowledgements of one kind.
type Times struct {
	// Acknowledge is the time from intended start to acknowledgement.
	Acknowledge Latencies `json:"acknowledge"`
	// PerSecond is acknowledgements a second from the first to the last.
	PerSecond float64 `json:"perSecond"`
	// LongestGap between two acknowledgements.
	LongestGap Gap `json:"longestGap"`
}

// Bad says whether the system broke a promise.
func (r *Result) Bad() bool { return len(r.Findings) > 0 }

// Of counts the cases of one defect.
func (r *Result) Of(d Defect) int64 {
	for _, f := range r.Findings {
		if f.Defect == d {
			return f.Count
		}
	}
	return 0
}

// Write renders the result for people.
func (r *Result) Write(w io.Writer) error {
	p := &printer{w: w}
	r.times(p)
	for _, f := range r.Findings {
		p.f("\n%s: %d\n", f.Defect, f.Count)
		for _, c := range f.Cases {
			p.f("  %s\n", c)
		}
		if rest := f.Count - int64(len(f.Cases)); rest > 0 {
			p.f("  and %d more\n", rest)
		}
	}
	if !r.Bad() {
		p.f("\nEvery promise was kept.\n")
	}
	return p.err
}

// WriteTimes renders counts and times alone.
func (r *Result) WriteTimes(w io.Writer) error {
	p := &printer{w: w}
	r.times(p)
	return p.err
}

func (r *Result) times(p *printer) {
	c := r.Counts
	if c.Acknowledged+c.Delivered+c.Ambiguous+c.Refused > 0 {
		p.f("messages   %d acknowledged (%d recognised as retries), %d ambiguous, %d refused\n", c.Acknowledged, c.Duplicates, c.Ambiguous, c.Refused)
		p.times(r.Messages)
		p.f("receivers  %d delivered, %d settled, %d redelivered before settling, %d pending, %d unrecorded\n",
			c.Delivered, c.Settled, c.Redelivered, c.Pending, c.Unrecorded)
		p.latencies("deliver", r.Deliver)
	}
	if c.Bookings+c.BookingsRefused+c.BookingsAmbiguous > 0 {
		p.f("bookings   %d acknowledged, %d of them cancelled; %d refused, %d ambiguous\n", c.Bookings, c.Cancelled, c.BookingsRefused, c.BookingsAmbiguous)
		p.times(r.Bookings)
	}
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) times(t Times) {
	p.f("  rate     %.1f acknowledged a second\n", t.PerSecond)
	p.latencies("  in", t.Acknowledge)
	if t.LongestGap.Long > 0 {
		p.f("  gap      longest %.3f s without one acknowledged, from %s\n", t.LongestGap.Seconds, t.LongestGap.Start.Format(time.RFC3339Nano))
	}
}

func (p *printer) latencies(name string, l Latencies) {
	if l.Count > 0 {
		p.f("%-10s p50 %.1f ms, p90 %.1f, p99 %.1f, p99.9 %.1f, longest %.1f (from intended start)\n", name, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
}
