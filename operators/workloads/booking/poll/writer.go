// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"time"

	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

const (
	// One transaction holds at most so many services and about so many slots: some milliseconds, so that people who book
	// never wait for it, and few enough transactions for 30,000 services.
	batchServices = 50
	batchSlots    = 2000
	// batchWait is how long a result waits for others.
	batchWait = 500 * time.Millisecond
	// retryFirst and retryLast bound the wait before a batch is tried again while the database is away.
	retryFirst = 500 * time.Millisecond
	retryLast  = 15 * time.Second
)

// writer stores results in batches.
type writer struct {
	clock  clock.Clock
	hold   Hold
	period provider.Period
}

// write stores what comes until results is closed. It ends early with ErrFenced, or when ctx ends.
func (w *writer) write(ctx context.Context, results <-chan Result) error {
	for {
		batch, more := w.collect(results)
		if len(batch) > 0 {
			if err := w.store(ctx, batch); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// collect fills a batch; false when no more will come.
func (w *writer) collect(results <-chan Result) ([]Result, bool) {
	first, ok := <-results
	if !ok {
		return nil, false
	}
	batch, slots := []Result{first}, len(first.Slots)
	timer := w.clock.NewTimer(batchWait)
	defer timer.Stop()
	for len(batch) < batchServices && slots < batchSlots {
		select {
		case next, ok := <-results:
			if !ok {
				return batch, false
			}
			batch, slots = append(batch, next), slots+len(next.Slots)
		case <-timer.C():
			return batch, true
		}
	}
	return batch, true
}

// store tries a batch until it is stored. When the database refuses it for what is in it, each result is tried alone and
// the refused ones are recorded without their slots.
func (w *writer) store(ctx context.Context, batch []Result) error {
	wait := retryFirst
	for {
		err := w.hold.Apply(ctx, w.period, batch)
		var rejected *RejectedError
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrFenced):
			return err
		case errors.As(err, &rejected) && len(batch) > 1:
			for _, one := range batch {
				if err := w.store(ctx, []Result{one}); err != nil {
					return err
				}
			}
			return nil
		case errors.As(err, &rejected) && batch[0].Outcome != Unstored:
			one := batch[0]
			one.Outcome, one.Slots = Unstored, nil
			batch = []Result{one}
			continue
		case errors.As(err, &rejected):
			return err // not even "unstored" can be recorded: this is a fault of the program
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-w.clock.After(wait):
			wait = min(2*wait, retryLast)
		}
	}
}
