// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"fmt"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	defaultPage = 500
	maxPage     = 5000
)

// Inbox lists what waits for a mailbox.
func (g *Gateway) Inbox(ctx context.Context, mailbox string, query message.InboxQuery) (message.InboxPage, error) {
	var from message.Seq
	if query.ContinueFrom != "" {
		var err error
		if from, err = message.ParseID(query.ContinueFrom); err != nil {
			return message.InboxPage{}, fmt.Errorf("%w: continue_from: expected the value of the page before", message.ErrInvalid)
		}
	}
	most := query.Max
	if most < 1 {
		most = defaultPage
	}
	most = min(most, maxPage)
	headers, err := g.ledger.List(ctx, mailbox, from, most, query.Interaction, g.retention())
	if err != nil {
		return message.InboxPage{}, err
	}
	page := message.InboxPage{Headers: headers}
	if len(headers) == most {
		page.Next = headers[most-1].ID
	}
	page.Approximate, err = g.ledger.Count(ctx, mailbox)
	return page, err
}

// Count is the number of messages that wait for a mailbox.
func (g *Gateway) Count(ctx context.Context, mailbox string) (int64, error) {
	return g.ledger.Count(ctx, mailbox)
}

// Retrieve reads one part of a message.
func (g *Gateway) Retrieve(ctx context.Context, mailbox, id string, part int) (*message.Message, error) {
	seq, err := message.ParseID(id)
	if err != nil {
		return nil, err
	}
	return g.ledger.Retrieve(ctx, mailbox, seq, part, g.retention())
}

// Acknowledge settles a message for good.
func (g *Gateway) Acknowledge(ctx context.Context, mailbox, id string) error {
	seq, err := message.ParseID(id)
	if err != nil {
		return err
	}
	return g.settle(ctx, mailbox, []message.Seq{seq})[0]
}

// settle takes messages off a mailbox's lane. What was settled before is settled again: its answer may have been lost.
func (g *Gateway) settle(ctx context.Context, mailbox string, seqs []message.Seq) []error {
	errs, refs := make([]error, len(seqs)), make([]ledger.Ref, len(seqs))
	for i, seq := range seqs {
		refs[i] = ledger.Ref{Lane: mailbox, Seq: seq}
	}
	gone, err := g.ledger.Settle(ctx, refs)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	g.forget(mailbox, seqs...)
	var rest []message.Seq
	for i, seq := range seqs {
		if !gone[i] {
			rest = append(rest, seq)
		}
	}
	known, err := g.ledger.Known(ctx, mailbox, rest)
	for i, seq := range seqs {
		switch {
		case gone[i] || known[seq]:
		case err != nil:
			errs[i] = err
		default:
			errs[i] = fmt.Errorf("%w: no message %s waits for this mailbox", message.ErrNotFound, seq)
		}
	}
	return errs
}

// Track finds a message that a mailbox sent.
func (g *Gateway) Track(ctx context.Context, sender string, query message.TrackQuery) (message.Track, error) {
	if query.ID == "" {
		return g.ledger.Track(ctx, sender, 0, query.LocalID, g.retention())
	}
	seq, err := message.ParseID(query.ID)
	if err != nil {
		return message.Track{}, err
	}
	return g.ledger.Track(ctx, sender, seq, "", g.retention())
}
