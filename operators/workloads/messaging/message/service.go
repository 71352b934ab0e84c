// SPDX-License-Identifier: Apache-2.0

package message

import (
	"context"
	"time"
)

// MaxRequestBytes is the most that one request (a message in one piece, or one part) may carry.
const MaxRequestBytes = 5_000_000

// Service is what the fronts may ask of the gateway. Every error is one of this package's (errors.Is, errors.As)
// or the context's; anything else is a fault of the gateway (500), never of the caller.
type Service interface {
	// Submit accepts a message in one piece. It returns only when the message is durable.
	Submit(context.Context, *Submission) (Receipt, error)
	// Begin accepts the first of several parts (2 to 999); the message reaches its recipient when all are in.
	Begin(ctx context.Context, first *Submission, parts int) (Receipt, error)
	// AddPart accepts part 2 to n, in any order. Repeating a part with the same bytes is well; with others ErrConflict.
	AddPart(ctx context.Context, sender, id string, part int, body []byte) error

	// Inbox lists what waits for a mailbox.
	Inbox(ctx context.Context, mailbox string, query InboxQuery) (InboxPage, error)
	// Count is the number of messages that wait for a mailbox.
	Count(ctx context.Context, mailbox string) (int64, error)
	// Retrieve reads one part (from 1). ErrNotFound: not this mailbox's; ErrGone: acknowledged before.
	Retrieve(ctx context.Context, mailbox, id string, part int) (*Message, error)
	// Acknowledge settles a message for good. Doing so again is well; ErrNotFound when it is not this mailbox's.
	Acknowledge(ctx context.Context, mailbox, id string) error

	// Track finds a message that this mailbox sent. ErrAmbiguous: several have this LocalID.
	Track(ctx context.Context, sender string, query TrackQuery) (Track, error)

	// Call passes a request of a Sync interaction to its endpoint and returns the answer. Nothing is stored.
	Call(context.Context, *Submission) (*Reply, error)
}

// Result is the outcome of one message of a batch: a receipt, or an error of this package.
type Result struct {
	Receipt
	Err error
}

// Delivery is a message under lease: the receiver settles or rejects it by its token before Until, or gets it again.
type Delivery struct {
	Message
	Lease string
	Until time.Time
	// Attempt counts deliveries of this message, from 1, as far as this replica knows.
	Attempt int
}

// Bulk is what internal systems may ask beside Service.
type Bulk interface {
	Service
	// SubmitBatch accepts up to 500 messages of one sender together; results are in the order of the submissions.
	SubmitBatch(ctx context.Context, batch []*Submission) []Result
	// Receive leases up to max messages (1 to 500) of a mailbox, waiting up to wait for the first.
	Receive(ctx context.Context, mailbox string, max int, wait time.Duration) ([]Delivery, error)
	// Settle acknowledges leased messages for good; one error per lease, nil when settled now or before.
	Settle(ctx context.Context, mailbox string, leases []string) []error
	// Reject gives leased messages back: again after the interaction's retry interval, or, when its retries are
	// used up or final is set, to the supplier's dead letters with the reason.
	Reject(ctx context.Context, mailbox string, leases []string, reason string, final bool) []error
}

// Party is a mailbox's owner, as the mailbox list knows it.
type Party struct {
	// Mailbox is the mailbox id, Organisation its ODS code.
	Mailbox, Organisation string
	// Supplier is who makes the system behind the mailbox: throttles, kill switches and dead letters go by it.
	Supplier string
	// Workflows are the interactions it may send and receive; empty means all that have a route.
	Workflows []string
	// Internal ones may use the bulk interface.
	Internal bool
}

// Directory knows the mailboxes. It answers from memory and changes under its users when the list is reloaded.
type Directory interface {
	// Party finds a mailbox by its id.
	Party(mailbox string) (Party, bool)
	// Named finds the mailboxes that a certificate with one of these names (CN, DNS SANs) may act for.
	Named(names []string) []Party
}
