// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// maxReceive bounds the messages of one receive, receiveBytes their bodies (one message may exceed it).
	maxReceive   = 500
	receiveBytes = 4 << 20
	// maxDeliveries is how often a message is given out without being settled or rejected before it counts as poison.
	maxDeliveries = 10
)

// Receive leases messages of a mailbox, waiting for the first.
func (g *Gateway) Receive(ctx context.Context, mailbox string, most int, wait time.Duration) ([]message.Delivery, error) {
	party, _ := g.config.Directory.Party(mailbox)
	if slices.Contains(g.routes.Stopped(), party.Supplier) {
		return nil, &message.StoppedError{Supplier: party.Supplier}
	}
	if g.background.Err() != nil || g.draining.Load() {
		return nil, message.ErrDraining
	}
	most = max(1, min(most, maxReceive))
	l := g.enter(mailbox)
	defer func() { l.leave(g.now()) }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		allowed, again := g.routes.Allow(party.Supplier, g.now(), most)
		items, arrived := l.pop(allowed, g.now().Add(g.config.Lease))
		if len(items) > 0 {
			g.routes.Took(party.Supplier, g.now(), len(items))
			found, err := g.fetch(ctx, l, items)
			if err != nil || len(found) > 0 {
				return found, err
			}
			continue
		}
		if g.draining.Load() {
			return nil, message.ErrDraining
		}
		var throttled <-chan time.Time
		if allowed == 0 {
			arrived, throttled = nil, time.After(again)
		}
		select {
		case <-arrived:
		case <-throttled:
		case <-timer.C:
			return nil, nil
		case <-g.background.Done():
			return nil, message.ErrDraining
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fetch reads leased messages; those that were settled elsewhere are done with.
func (g *Gateway) fetch(ctx context.Context, l *lane, items []*item) ([]message.Delivery, error) {
	until := items[0].until
	open, seqs := make(map[message.Seq]int, len(items)), make([]message.Seq, len(items))
	for i, it := range items {
		open[it.seq], seqs[i] = it.deliveries, it.seq
	}
	found, rest, err := g.ledger.Fetch(ctx, l.name, seqs, receiveBytes, g.retention())
	if err != nil {
		l.release(seqs, true)
		return nil, err
	}
	l.release(rest, true)
	for _, seq := range rest {
		delete(open, seq)
	}
	out := make([]message.Delivery, 0, len(found))
	for i := range found {
		f := &found[i]
		deliveries := open[f.Seq]
		delete(open, f.Seq)
		ref := ledger.Ref{Lane: l.name, Seq: f.Seq}
		if deliveries > maxDeliveries {
			g.metrics.poison.Inc()
			if err := g.failed(ctx, ref, f.Attempts+1, "not settled in "+strconv.Itoa(maxDeliveries)+" deliveries", true); err != nil {
				l.release([]message.Seq{f.Seq}, true)
			}
			continue
		}
		if f.Parts > 1 {
			if err := g.ledger.Whole(ctx, f); err != nil {
				l.release([]message.Seq{f.Seq}, true)
				continue
			}
		}
		out = append(out, message.Delivery{
			Message: f.Message, Lease: f.ID + "." + strconv.Itoa(deliveries), Until: until, Attempt: f.Attempts + deliveries,
		})
	}
	for seq := range open {
		l.done(seq)
	}
	g.metrics.delivered.Add(float64(len(out)))
	return out, nil
}

// Return gives back what could not be handed to a receiver: its connection was gone.
func (g *Gateway) Return(mailbox string, given []message.Delivery) {
	l := g.enter(mailbox)
	defer func() { l.leave(g.now()) }()
	l.release(seqsOf(given), true)
}

func seqsOf(given []message.Delivery) []message.Seq {
	seqs := make([]message.Seq, 0, len(given))
	for i := range given {
		if seq, err := message.ParseID(given[i].ID); err == nil {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// parseLease reads a lease: the message's ID, a point, and which delivery it was.
func parseLease(lease string) (message.Seq, error) {
	id, delivery, ok := strings.Cut(lease, ".")
	if _, err := strconv.ParseUint(delivery, 10, 32); !ok || err != nil {
		return 0, fmt.Errorf("%w: %q is not a lease of this service", message.ErrNotFound, message.Clip(lease))
	}
	return message.ParseID(id)
}

// Settle acknowledges leased messages for good. A lease that ran out still settles: its receiver has processed it.
func (g *Gateway) Settle(ctx context.Context, mailbox string, leases []string) []error {
	errs := make([]error, len(leases))
	seqs, at := make([]message.Seq, 0, len(leases)), make([]int, 0, len(leases))
	for i, lease := range leases {
		seq, err := parseLease(lease)
		if err != nil {
			errs[i] = err
			continue
		}
		seqs, at = append(seqs, seq), append(at, i)
	}
	for i, err := range g.settle(ctx, mailbox, seqs) {
		errs[at[i]] = err
	}
	return errs
}

// Reject gives leased messages back.
func (g *Gateway) Reject(ctx context.Context, mailbox string, leases []string, reason string, final bool) []error {
	errs := make([]error, len(leases))
	for i, lease := range leases {
		seq, err := parseLease(lease)
		if err == nil {
			err = g.reject(ctx, ledger.Ref{Lane: mailbox, Seq: seq}, reason, final)
		}
		errs[i] = err
	}
	return errs
}

func (g *Gateway) reject(ctx context.Context, ref ledger.Ref, reason string, final bool) error {
	_, attempts, found, err := g.ledger.About(ctx, ref)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%w: no message %s waits for this mailbox", message.ErrNotFound, ref.Seq)
	}
	if err := text("reason", reason, 1000); err != nil {
		return err
	}
	err = g.failed(ctx, ref, attempts+1, "rejected: "+reason, final)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: repeat the request", message.ErrUnavailable)
	}
	return err
}
