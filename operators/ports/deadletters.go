// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"time"
)

// MaxDeadLetters that are listed or put back at a time.
const MaxDeadLetters = 1000

// DeadLetter is a message that no retry could deliver.
type DeadLetter struct {
	// ID of the message. IDs grow in the order in which messages were accepted.
	ID string `json:"id"`
	// At is when it became a dead letter.
	At time.Time `json:"at"`
}

// DeadLetters are kept by a message gateway, any of which answers for all. Its methods
// return errors as Prober's do.
type DeadLetters interface {
	// ListDead returns up to MaxDeadLetters of a supplier's, oldest first, after the one with the
	// ID after; an empty one stands for the beginning.
	ListDead(ctx context.Context, target Target, supplier, after string) ([]DeadLetter, error)
	// ReplayDead puts those with the IDs, 1 to MaxDeadLetters, back on their way. IDs that are no
	// dead letters of the supplier are left alone. It returns how many were put back.
	ReplayDead(ctx context.Context, target Target, supplier string, ids []string) (int, error)
}
