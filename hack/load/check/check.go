// SPDX-License-Identifier: Apache-2.0

package check

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// Source is what a database holds, as events: Held and Finished of messages, or Live of bookings. It hands them over
// in blocks that are only valid during the call, so that a large table never stands in memory.
type Source func(ctx context.Context, each func([]record.Event) error) error

// Options of a check.
type Options struct {
	// Messages and Bookings are the folders of the two kinds of records; either may be empty.
	Messages, Bookings string
	// Ledger and Booked are what the databases hold; without one, receivers alone are the judge of it.
	Ledger, Booked Source
	// Taken are the referrals, by UBRN, of which the booking service's database says that a restore took their slot. It is
	// asked when Booked has been read; without it, none are known.
	Taken func() map[uint64]bool
	// Late is the longest allowed time from acknowledgement to first delivery; 0 for any.
	Late time.Duration
	// Scratch is the folder for what does not fit into memory; the system's temporary folder when empty.
	Scratch string
	// memory is how many events are held at a time.
	memory int64
}

type checker struct {
	result           Result
	deliver          *Histogram
	sends, books     acks
	late             time.Duration
	ledger, bookings bool
	taken            func() map[uint64]bool
	findings         map[Defect]*Finding
}

// acks are the acknowledgements of one kind.
type acks struct {
	histogram *Histogram
	at        Timeline
}

// add counts one, in Unix nanoseconds; false when it lies outside any run.
func (a *acks) add(start, acked int64) bool {
	a.histogram.Add(time.Duration(acked - start))
	return a.at.Add(acked)
}

func (a *acks) times() Times {
	t := Times{Acknowledge: a.histogram.Latencies(), LongestGap: a.at.LongestGap()}
	if s := a.at.Span().Seconds(); s > 0 {
		t.PerSecond = float64(t.Acknowledge.Count) / s
	}
	return t
}

func (c *checker) found(d Defect, text string) {
	f := c.findings[d]
	if f == nil {
		f = &Finding{Defect: d}
		c.findings[d] = f
	}
	f.Count++
	if len(f.Cases) < listed {
		f.Cases = append(f.Cases, text)
	}
}

// Run checks a run that has ended: nothing may still write to the folders.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Messages == "" && o.Bookings == "" {
		return nil, errors.New("nothing to check: no folder of message records and none of booking records")
	}
	if o.memory == 0 {
		o.memory = memoryEvents
	}
	c := &checker{
		sends: acks{histogram: NewHistogram()}, books: acks{histogram: NewHistogram()}, deliver: NewHistogram(), late: o.Late,
		ledger: o.Ledger != nil, bookings: o.Booked != nil, findings: map[Defect]*Finding{},
	}
	if o.Messages != "" {
		if err := c.pass(ctx, o, o.Messages, o.Ledger, c.message); err != nil {
			return nil, err
		}
	}
	if c.taken = o.Taken; c.taken == nil {
		c.taken = func() map[uint64]bool { return nil }
	}
	if o.Bookings != "" {
		if err := c.pass(ctx, o, o.Bookings, o.Booked, c.slot); err != nil {
			return nil, err
		}
	}
	r := &c.result
	r.Messages, r.Bookings, r.Deliver = c.sends.times(), c.books.times(), c.deliver.Latencies()
	for _, d := range Order {
		if f := c.findings[d]; f != nil {
			slices.Sort(f.Cases)
			r.Findings = append(r.Findings, *f)
		}
	}
	return r, nil
}

// pass shards one folder and its source, and judges key by key.
func (c *checker) pass(ctx context.Context, o Options, dir string, source Source, judge func([]record.Event)) (err error) {
	paths, err := record.Files(dir)
	if err != nil {
		return err
	}
	expected := int64(0)
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		expected += info.Size() / record.Size
	}
	scratch, err := os.MkdirTemp(o.Scratch, "load-check-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	// A message is in the database once, and at least once in the record.
	if source != nil {
		expected *= 2
	}
	s, err := newShards(scratch, expected, o.memory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	add := func(events []record.Event) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.add(c.foreign(events))
	}
	if err := record.Scan(dir, add); err != nil {
		return err
	}
	if source != nil {
		if err := source(ctx, add); err != nil {
			return err
		}
	}
	return s.groups(judge)
}

// foreign takes out what has no key to be compared by, and reports it.
func (c *checker) foreign(events []record.Event) []record.Event {
	if !slices.ContainsFunc(events, func(e record.Event) bool { return e.Kind == record.Foreign }) {
		return events
	}
	kept := make([]record.Event, 0, len(events))
	for i := range events {
		if events[i].Kind == record.Foreign {
			c.found(Alien, "got at "+clock(events[i].At))
			continue
		}
		kept = append(kept, events[i])
	}
	return kept
}
