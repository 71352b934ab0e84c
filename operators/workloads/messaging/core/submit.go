// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// submission is messages on their way into the ledger; first is the lowest of their numbers.
type submission struct{ first message.Seq }

// pushPrefix begins the lanes of routes that push.
const pushPrefix = "push/"

// laneFor says who takes a message, and with which flags.
func laneFor(route *routes.Route, to message.Party) (string, int16) {
	var flags int16
	if !route.Pattern.Reliable() {
		flags |= ledger.FlagExpress
	}
	switch {
	case route.Delivery == api.DeliveryPush:
		return pushPrefix + route.Interaction, flags | ledger.FlagDispatched
	case to.Internal:
		return to.Mailbox, flags | ledger.FlagDispatched
	}
	// Collected by listing: no reference needed.
	return to.Mailbox, flags
}

func (g *Gateway) entry(s *message.Submission, parts int) (*ledger.Entry, error) {
	route, to, err := g.check(s)
	if err != nil {
		return nil, err
	}
	if route.Pattern == api.PatternSync {
		return nil, fmt.Errorf("%w: %q is synchronous; send it to the path for calls", message.ErrInvalid, s.Interaction)
	}
	lane, flags := laneFor(route, to)
	if s.Tracked {
		flags |= ledger.FlagTracked
	}
	return &ledger.Entry{Submission: s, Lane: lane, Flags: flags, Parts: int16(parts), Dedupe: route.Dedupe()}, nil
}

// Submit accepts one message.
func (g *Gateway) Submit(ctx context.Context, s *message.Submission) (message.Receipt, error) {
	r := g.SubmitBatch(ctx, []*message.Submission{s})[0]
	return r.Receipt, r.Err
}

// SubmitBatch accepts messages together. A context that ends does not stop it: the commit is on its way.
func (g *Gateway) SubmitBatch(_ context.Context, batch []*message.Submission) []message.Result {
	results := make([]message.Result, len(batch))
	entries, at := make([]*ledger.Entry, 0, len(batch)), make([]int, 0, len(batch))
	for i, s := range batch {
		e, err := g.entry(s, 1)
		if err != nil {
			results[i].Err = err
			continue
		}
		entries, at = append(entries, e), append(at, i)
	}
	err := g.commit(entries)
	for i, e := range entries {
		r := &results[at[i]]
		if err != nil {
			r.Err = err
			continue
		}
		r.Receipt, r.Err = receipt(e)
	}
	g.metrics.submitted(results)
	return results
}

func receipt(e *ledger.Entry) (message.Receipt, error) {
	seq := e.Seq
	if e.Duplicate != 0 {
		seq = e.Duplicate
	}
	return message.Receipt{ID: seq.String(), Duplicate: e.Duplicate != 0, At: seq.At()}, e.Err
}

// commit numbers entries, writes them and hands their references on.
func (g *Gateway) commit(entries []*ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	s := g.start(entries)
	defer g.end(s)
	if err := g.ledger.Append(entries); err != nil {
		return err
	}
	byLane := make(map[string][]message.Seq, 1)
	for _, e := range entries {
		switch {
		case e.Lane == "" || e.Flags&ledger.FlagDispatched == 0:
		case errors.Is(e.Err, message.ErrUnavailable):
			g.doubts.add(g.now(), ledger.Ref{Lane: e.Lane, Seq: e.Seq})
		case e.Err == nil && e.Duplicate == 0:
			byLane[e.Lane] = append(byLane[e.Lane], e.Seq)
		}
	}
	for lane, seqs := range byLane {
		g.publisher.Add(lane, seqs...)
	}
	return nil
}

// start numbers entries and notes that they are on their way: until end, published stays below them.
func (g *Gateway) start(entries []*ledger.Entry) *submission {
	s := &submission{}
	g.startedMu.Lock()
	defer g.startedMu.Unlock()
	for _, e := range entries {
		e.Seq = g.ledger.Next()
	}
	s.first = entries[0].Seq
	g.started[s] = struct{}{}
	return s
}

func (g *Gateway) end(s *submission) {
	g.startedMu.Lock()
	defer g.startedMu.Unlock()
	delete(g.started, s)
}

// published is the number up to which all references of this replica are with the broker.
func (g *Gateway) published() message.Seq {
	g.startedMu.Lock()
	defer g.startedMu.Unlock()
	// The clock first: what is numbered later is above it. The publisher last: to it go those that were in doubt.
	low := g.ledger.Next() - 1
	for s := range g.started {
		low = min(low, s.first-1)
	}
	if oldest := g.doubts.oldest(); oldest != 0 {
		low = min(low, oldest-1)
	}
	if oldest := g.publisher.Oldest(); oldest != 0 {
		low = min(low, oldest-1)
	}
	return low
}

// Begin accepts the first of several parts.
func (g *Gateway) Begin(_ context.Context, first *message.Submission, parts int) (message.Receipt, error) {
	if parts < 2 || parts > 999 {
		return message.Receipt{}, fmt.Errorf("%w: a message in parts has 2 to 999 of them", message.ErrInvalid)
	}
	e, err := g.entry(first, parts)
	if err != nil {
		return message.Receipt{}, err
	}
	e.Lane = ""
	if err := g.commit([]*ledger.Entry{e}); err != nil {
		return message.Receipt{}, err
	}
	return receipt(e)
}

// AddPart accepts a further part.
func (g *Gateway) AddPart(ctx context.Context, sender, id string, part int, body []byte) error {
	seq, err := message.ParseID(id)
	if err != nil {
		return err
	}
	limits := g.limits()
	if int64(len(body)) > limits.MaxRequestBytes {
		return fmt.Errorf("%w: the part has %d bytes, at most %d go in one request", message.ErrTooLarge, len(body), limits.MaxRequestBytes)
	}
	var flags int16
	ref, err := g.ledger.AddPart(ctx, sender, seq, part, body, limits.MaxMessageBytes, func(interaction, recipient string) (lane string, f int16) {
		// Accepted under a route that may be gone by now: then it waits in the recipient's inbox.
		to, _ := g.config.Directory.Party(recipient)
		to.Mailbox = recipient
		if route, ok := g.routes.Lookup(interaction); ok {
			lane, flags = laneFor(route, to)
		} else {
			lane = recipient
		}
		return lane, flags
	})
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: repeat the part", message.ErrUnavailable)
	}
	switch {
	case ref == nil || flags&ledger.FlagDispatched == 0:
	case err != nil:
		g.doubts.add(g.now(), *ref)
	default:
		g.publisher.Add(ref.Lane, ref.Seq)
	}
	return err
}
