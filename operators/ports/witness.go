// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"errors"
	"time"
)

// Vote is what the witness, at a third place, has on record of two sites.
type Vote struct {
	// Site that is active; empty before the first vote.
	Site string
	// Epoch is the fencing number. It only grows, with each change of Site or Alone.
	Epoch int64
	// Alone says that Site acknowledges without the other one.
	Alone bool
	// Until is the end of the vote, in UTC to the millisecond: Site stops acknowledging before it
	// has passed, unless it renews it.
	Until time.Time
}

// Witness is one register at a third place. Its methods return a *WitnessError when the
// witness did not answer or its answer makes no sense.
type Witness interface {
	// Read returns the vote as it is on record; a zero Vote before the first.
	Read(ctx context.Context) (Vote, error)
	// Swap replaces exactly the vote that was read, atomically. ErrVoteChanged: another one is
	// on record, and nothing was changed. After a *WitnessError it is not known whether it was.
	Swap(ctx context.Context, old, next Vote) error
}

// ErrVoteChanged: the vote on record is not the one that was read.
var ErrVoteChanged = errors.New("the witness has another vote on record by now")

// WitnessError: the witness did not answer, or not sensibly.
type WitnessError struct {
	// Err is the cause.
	Err error
}

func (e *WitnessError) Error() string { return "the witness: " + e.Err.Error() }
func (e *WitnessError) Unwrap() error { return e.Err }
