// SPDX-License-Identifier: Apache-2.0

package message

import (
	"errors"
	"fmt"
	"time"
)

// Errors that a front turns into statuses. They come wrapped with a sentence that says what to do.
var (
	// ErrConflict: the same request id (or part) was used before with another payload.
	ErrConflict = errors.New("the same request id came before with another payload")
	// ErrUnknownRecipient: no mailbox has this id.
	ErrUnknownRecipient = errors.New("unknown recipient")
	// ErrUnknownInteraction: no route carries this interaction.
	ErrUnknownInteraction = errors.New("unknown interaction")
	// ErrNotPermitted: the sender or the recipient does not take part in this interaction.
	ErrNotPermitted = errors.New("not permitted")
	// ErrTooLarge: the body exceeds the limit.
	ErrTooLarge = errors.New("too large")
	// ErrInvalid: a field is malformed.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: no such message for this mailbox.
	ErrNotFound = errors.New("not found")
	// ErrGone: the message was acknowledged, or deleted after its time.
	ErrGone = errors.New("gone")
	// ErrAmbiguous: more than one message has this local id.
	ErrAmbiguous = errors.New("more than one message has this local id")
	// ErrTimeout: the endpoint of a synchronous interaction did not answer in time.
	ErrTimeout = errors.New("the endpoint did not answer in time")
	// ErrEndpoint: the endpoint of a synchronous interaction could not be reached.
	ErrEndpoint = errors.New("the endpoint could not be reached")
	// ErrUnavailable: the ledger cannot be reached or is changing its primary; nothing is known of the request's fate,
	// so repeat it with the same request id.
	ErrUnavailable = errors.New("the ledger is not available")
	// ErrDraining: this replica is stopping; ask again and another one answers.
	ErrDraining = errors.New("this replica is stopping")
)

// OverloadedError: the gateway holds as much unwritten work as it may.
type OverloadedError struct {
	// RetryAfter is at least a second.
	RetryAfter time.Duration
	// Throttled: the sender's supplier is over its own rate (429) rather than the gateway over its capacity (503).
	Throttled bool
}

func (e *OverloadedError) Error() string {
	if e.Throttled {
		return fmt.Sprintf("the supplier is over its agreed rate; send again in %s", e.RetryAfter)
	}
	return fmt.Sprintf("the gateway is at its capacity; send again in %s", e.RetryAfter)
}

// StoppedError: an operator has stopped the supplier, or the route, that the message would go to.
type StoppedError struct {
	Supplier string
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("deliveries to supplier %q are stopped by an operator; keep the message and send it again later", e.Supplier)
}
