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
	gone, err := g.ledger.Settle(ctx, []ledger.Ref{{Lane: mailbox, Seq: seq}})
	if err != nil {
		return err
	}
	g.forget(mailbox, seq)
	if gone[0] {
		return nil
	}
	known, err := g.ledger.Known(ctx, mailbox, seq)
	if err == nil && !known {
		err = fmt.Errorf("%w: no message %s waits for this mailbox", message.ErrNotFound, id)
	}
	return err
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
