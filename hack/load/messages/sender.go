// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"context"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// Sender is one sending mailbox.
type Sender struct {
	Link     Link
	Schedule *arrival.Schedule
	Record   *record.Writer
	Meter    *stats.Meter
	// Run and Number make the marks; Recipients are taken in turn.
	Run        uint32
	Number     uint16
	Recipients []uint16
	// Linger is how long the first message of a batch waits for others. It is part of every latency.
	Linger time.Duration
	// InFlight bounds the batches on their way, with those that wait to be retried. When it is reached, further
	// messages begin late and are charged for it.
	InFlight int
	// RetryFor is how long a batch without a clear answer is retried.
	RetryFor time.Duration
}

// Retries wait twice as long each time, from the first to the longest of these.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 2 * time.Second
)

// Send sends all that is scheduled and returns when everything was answered or given up, at the latest RetryFor after the
// schedule's end, or when the record fails. An ending context stops new messages at once, and retries too.
func (s *Sender) Send(ctx context.Context) error {
	ctx, stop := context.WithDeadline(ctx, s.Schedule.End().Add(s.RetryFor))
	defer stop()
	outer := ctx
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, s.InFlight)
		seq   uint64
	)
	for {
		first, ok := s.Schedule.Peek()
		if !ok || !sleepUntil(ctx, first+int64(s.Linger)) {
			break
		}
		select {
		case <-ctx.Done():
		case slots <- struct{}{}:
		}
		if ctx.Err() != nil {
			break
		}
		batch := s.due(time.Now().UnixNano(), &seq)
		wg.Go(func() {
			defer func() { <-slots }()
			if err := s.deliver(ctx, batch); err != nil {
				fail(err)
			}
		})
	}
	wg.Wait()
	if outer.Err() != nil {
		s.Meter.Unsent(s.Schedule)
		// Being interrupted is no failure; that of a record is remembered by its writer.
		return nil
	}
	return context.Cause(ctx)
}

// due takes what was meant to begin by now, up to a whole batch, and at least one.
func (s *Sender) due(now int64, seq *uint64) []Item {
	batch := make([]Item, 0, s.Link.Batch())
	for len(batch) < cap(batch) {
		at, ok := s.Schedule.Peek()
		if !ok || len(batch) > 0 && at > now {
			break
		}
		s.Schedule.Pop()
		to := s.Recipients[*seq%uint64(len(s.Recipients))]
		batch = append(batch, Item{Mark: record.Mark{Run: s.Run, Sender: s.Number, Recipient: to, Seq: *seq}, Start: at})
		*seq++
	}
	return batch
}

// deliver tries a batch until every message has a clear answer. What is left open after RetryFor stays ambiguous.
func (s *Sender) deliver(ctx context.Context, items []Item) error {
	var (
		outcomes = make([]Outcome, len(items))
		events   = make([]record.Event, 0, len(items))
		final    = make([]record.Event, 0, len(items))
		giveUp   = time.Now().Add(s.RetryFor)
		wait     = firstWait
	)
	for {
		for i := range items {
			items[i].attempt++
		}
		asked := s.Link.Send(ctx, items, outcomes[:len(items)])
		now := time.Now()
		over := ctx.Err() != nil || now.After(giveUp)
		events, final = events[:0], final[:0]
		var left []Item
		retried, pushedBack, why := 0, 0, ""
		for i := range items {
			o := &outcomes[i]
			if o.Why != "" {
				why = o.Why
			}
			open := o.Kind == record.Ambiguous && !over
			if open && o.PushedBack {
				pushedBack++
				left = append(left, items[i])
				continue
			}
			e := record.Event{
				Key: items[i].Mark.Key(), Kind: o.Kind, Attempt: items[i].attempt, Status: o.Status, Party: s.Number,
				Start: items[i].Start, At: now.UnixNano(), Hash: o.Hash, Ref: o.Ref,
			}
			events = append(events, e)
			if open {
				retried++
				left = append(left, items[i])
				continue
			}
			final = append(final, e)
		}
		if err := s.Record.Write(events); err != nil {
			return err
		}
		s.Meter.Count(final)
		if why != "" {
			s.Meter.Trouble(retried, pushedBack, why)
		}
		if len(left) == 0 {
			return nil
		}
		items = left
		sleepUntil(ctx, now.Add(max(wait, asked)).UnixNano())
		wait = min(2*wait, longestWait)
	}
}

// sleepUntil waits for a time in Unix nanoseconds; false when the context ended first.
func sleepUntil(ctx context.Context, at int64) bool {
	d := time.Duration(at - time.Now().UnixNano())
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
