// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
)

// maxReceived bounds an answer to a receive.
const maxReceived = 64 << 20

// recordError says that the record could not be written: nothing that is done after it proves anything.
type recordError struct{ error }

// Receiver collects and settles what comes for one mailbox.
type Receiver struct {
	Client *http.Client
	// URL is the base of the bulk interface.
	URL     string
	Mailbox *fleet.Mailbox
	Record  *record.Writer
	// Max is how many messages are asked for at a time (1 to 500); Wait, how long the gateway may hold the request
	// open for the first.
	Max  int
	Wait time.Duration
	// Trouble is told of every failed request.
	Trouble func(error)
	handled atomic.Int64
	// last is when something was delivered, in Unix nanoseconds.
	last atomic.Int64
	// open are messages whose settlement had no answer. They may come again, and count only once.
	open   map[[16]byte]bool
	bufs   buffers
	events []record.Event
	leases []string
}

// Handled is how many messages were received and settled so far, or at least asked to be settled; it is safe for
// concurrent use.
func (r *Receiver) Handled() int64 { return r.handled.Load() }

// Last is when something was delivered; zero when nothing was. It is safe for concurrent use.
func (r *Receiver) Last() time.Time {
	if last := r.last.Load(); last != 0 {
		return time.Unix(0, last)
	}
	return time.Time{}
}

// Run receives until the context ends or the record fails. Failed requests are repeated, as the gateway or its hosts
// may be away for a while.
func (r *Receiver) Run(ctx context.Context) error {
	wait := firstWait
	for ctx.Err() == nil {
		err := r.once(ctx)
		var broken recordError
		switch {
		case err == nil:
			wait = firstWait
			continue
		case errors.As(err, &broken):
			return broken.error
		case ctx.Err() != nil:
			return nil
		}
		r.Trouble(fmt.Errorf("mailbox %s: %w", r.Mailbox.ID, err))
		sleepUntil(ctx, time.Now().Add(wait).UnixNano())
		wait = min(2*wait, longestWait)
	}
	return nil
}

// once receives once and settles what came.
func (r *Receiver) once(ctx context.Context) error {
	asked := time.Now().UnixNano()
	r.bufs.request = fmt.Appendf(r.bufs.request[:0], `{"max":%d,"waitSeconds":%d}`, r.Max, int(r.Wait.Seconds()))
	answer, err := r.post(ctx, "receive")
	if err != nil {
		return err
	}
	got := time.Now().UnixNano()
	r.events, r.leases = r.events[:0], r.leases[:0]
	reader := frame.NewReader(answer)
	var m frame.Record
	for reader.More() {
		if err := reader.Next(&m); err != nil {
			return fmt.Errorf("the gateway's answer: %w", err)
		}
		e := record.Event{Kind: record.Delivered, Party: r.Mailbox.Number, Start: asked, At: got, Hash: record.Hash(m.Body), Ref: record.Ref(m.ID)}
		e.Attempt = uint8(min(m.Attempt, 255))
		if mark, err := record.ReadHead(m.Body); err == nil {
			e.Key = mark.Key()
		} else {
			e.Kind = record.Foreign
		}
		r.events = append(r.events, e)
		r.leases = append(r.leases, m.Lease)
	}
	if len(r.leases) == 0 {
		return nil
	}
	r.last.Store(got)
	// What was got is on record before it is settled: after a kill in between it comes again.
	if err := r.Record.Write(r.events); err != nil {
		return recordError{err}
	}
	return r.settle(ctx)
}

// settle settles all that was received last.
func (r *Receiver) settle(ctx context.Context) error {
	request, err := json.Marshal(struct {
		Leases []string `json:"leases"`
	}{r.leases})
	if err != nil {
		return err
	}
	r.bufs.request = request
	answer, err := r.post(ctx, "settle")
	if err != nil {
		r.leaveOpen()
		return err
	}
	var results struct {
		Results []struct {
			Status string `json:"status"`
		} `json:"results"`
	}
	if err := json.Unmarshal(answer, &results); err != nil {
		return fmt.Errorf("the gateway's answer to settle: %w", err)
	}
	if len(results.Results) != len(r.events) {
		return fmt.Errorf("the gateway settled %d of %d leases", len(results.Results), len(r.events))
	}
	now := time.Now().UnixNano()
	settled := r.events[:0]
	for i, result := range results.Results {
		e := r.events[i]
		if result.Status != "settled" || e.Kind != record.Delivered {
			continue
		}
		e.Kind, e.At = record.Settled, now
		settled = append(settled, e)
		if r.open[e.Key] {
			delete(r.open, e.Key)
		} else {
			r.handled.Add(1)
		}
	}
	if err := r.Record.Write(settled); err != nil {
		return recordError{err}
	}
	return nil
}

// leaveOpen counts what was received last, whose settlement had no answer.
func (r *Receiver) leaveOpen() {
	if r.open == nil {
		r.open = map[[16]byte]bool{}
	}
	for i := range r.events {
		if e := &r.events[i]; e.Kind == record.Delivered && !r.open[e.Key] {
			r.open[e.Key] = true
			r.handled.Add(1)
		}
	}
}

// post asks for one of the mailbox's operations.
func (r *Receiver) post(ctx context.Context, operation string) ([]byte, error) {
	url := r.URL + "/v1/mailboxes/" + r.Mailbox.ID + "/messages:" + operation
	answer, status, _, err := post(ctx, r.Client, url, "application/json", &r.bufs, maxReceived)
	if err != nil || status != http.StatusOK {
		// A body that the transport may still be reading is left to it.
		r.bufs.request = nil
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: HTTP %d: %.200s", operation, status, answer)
	}
	return answer, err
}
