// SPDX-License-Identifier: Apache-2.0

// Package conformance holds every implementation of a port to what the port says, so that
// those of bare metal and of AWS are twins.
package conformance

import (
	"errors"
	"fmt"
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
// and every other one is told so. Each call of another gives a witness of the same register.
func OneWinner(t *testing.T, rounds, sites int, another func() ports.Witness) {
	t.Helper()
	old, err := another().Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		var wins sync.Map
		var group sync.WaitGroup
		for i := range sites {
			next := Vote
			next.Site, next.Epoch = fmt.Sprintf("s%d", i), old.Epoch+1
			w := another()
			group.Go(func() {
				switch err := w.Swap(t.Context(), old, next); {
				case err == nil:
					wins.Store(next, true)
				case !errors.Is(err, ports.ErrVoteChanged):
					t.Error(err)
				}
			})
		}
		group.Wait()
		v, err := another().Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		wins.Range(func(k, _ any) bool {
			n++
			if k != v {
				t.Errorf("%+v was told that it won, and %+v is on record", k, v)
			}
			return true
		})
		if n != 1 {
			t.Fatalf("round %d: %d winners, %+v on record", round, n, v)
		}
		old = v
	}
}
