// SPDX-License-Identifier: Apache-2.0

// Package conformance holds every implementation of a port to what the port says, so that
// those of bare metal and of AWS are twins.
package conformance

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// Vote is one that every register can keep.
var Vote = ports.Vote{Site: "a", Epoch: 7, Alone: true, Until: time.Date(2026, 11, 21, 11, 40, 5, 123e6, time.UTC)}

// Witness takes an empty register through what ports.Witness says. It returns the vote that is on
// record then.
func Witness(t *testing.T, w ports.Witness) ports.Vote {
	t.Helper()
	ctx := t.Context()
	Recorded(t, w, ports.Vote{})
	if err := w.Swap(ctx, ports.Vote{}, Vote); err != nil {
		t.Fatal(err)
	}
	if err := w.Swap(ctx, ports.Vote{}, Vote); !errors.Is(err, ports.ErrVoteChanged) {
		t.Errorf("a second first vote: %v", err)
	}
	second := Vote
	second.Site, second.Epoch = "b", 8
	if err := w.Swap(ctx, Vote, second); err != nil {
		t.Fatal(err)
	}
	// Only the time differs: it is another vote all the same.
	late := second
	late.Until = late.Until.Add(time.Millisecond)
	for name, old := range map[string]ports.Vote{"the vote before": Vote, "a vote that never was": late, "no vote": {}} {
		if err := w.Swap(ctx, old, late); !errors.Is(err, ports.ErrVoteChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fine := second
	fine.Until = fine.Until.Add(time.Nanosecond)
	var bad *ports.WitnessError
	if err := w.Swap(ctx, second, fine); !errors.As(err, &bad) {
		t.Errorf("a vote that cannot be recorded: %v", err)
	}
	Recorded(t, w, second)
	// A renewal.
	if err := w.Swap(ctx, second, late); err != nil {
		t.Fatal(err)
	}
	Recorded(t, w, late)
	return late
}

// Recorded holds that a vote is on record.
func Recorded(t *testing.T, w ports.Witness, want ports.Vote) {
	t.Helper()
	if v, err := w.Read(t.Context()); err != nil || v != want {
		t.Fatalf("%+v is on record, %v: want %+v", v, err, want)
	}
}

// Silent holds that a witness which does not answer, or not sensibly, says so of every question.
func Silent(t *testing.T, w ports.Witness) {
	t.Helper()
	var silent *ports.WitnessError
	if v, err := w.Read(t.Context()); !errors.As(err, &silent) {
		t.Errorf("a silent witness has %+v on record, %v", v, err)
	}
	for _, old := range []ports.Vote{{}, Vote} {
		if err := w.Swap(t.Context(), old, Vote); !errors.As(err, &silent) {
			t.Errorf("a silent witness swaps: %v", err)
		}
	}
}

// OneWinner has many sites vote at once, in each of many rounds, from the vote on record: one wins,
// and every other one is told so. One whose answer was lost may have won, and is told that it is
// not known. Each call of another gives a witness of the same register.
func OneWinner(t *testing.T, rounds, sites int, another func() ports.Witness) {
	t.Helper()
	old, err := another().Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		told := make([]error, sites)
		next := make([]ports.Vote, sites)
		var group sync.WaitGroup
		for i := range sites {
			next[i] = Vote
			next[i].Site, next[i].Epoch = fmt.Sprintf("s%d", i), old.Epoch+1
			w := another()
			group.Go(func() { told[i] = w.Swap(t.Context(), old, next[i]) })
		}
		group.Wait()
		v, err := another().Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var winners, unknown []ports.Vote
		for i, err := range told {
			var silent *ports.WitnessError
			switch {
			case err == nil:
				winners = append(winners, next[i])
			case errors.As(err, &silent):
				unknown = append(unknown, next[i])
			case !errors.Is(err, ports.ErrVoteChanged):
				t.Errorf("round %d: %v", round, err)
			}
		}
		switch {
		case len(winners) == 1 && winners[0] == v:
		case len(winners) == 0 && slices.Contains(unknown, v):
			t.Logf("round %d: the winner's answer was lost", round)
		default:
			t.Fatalf("round %d: %+v were told that they won, of %+v it is not known, and %+v is on record", round, winners, unknown, v)
		}
		old = v
	}
}
