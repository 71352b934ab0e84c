// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func header(nonce string, count uint64, at time.Time) *Header {
	return &Header{Mailbox: "M", Nonce: nonce, count: count, at: at.Truncate(time.Minute)}
}

func TestGuard(t *testing.T) {
	type step struct {
		do    string
		h     *Header
		after time.Duration
		want  error
	}
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, steps := range map[string][]step{
		"a token is good once": {
			{"use", header("n", 1, noon), 0, nil},
			{"use", header("n", 1, noon), 0, ErrReplayed},
			{"use", header("n", 1, noon), time.Hour, ErrReplayed},
			{"use", header("n", 2, noon), time.Hour, nil},
			{"use", header("n", 2, noon), time.Hour, ErrReplayed},
			{"use", header("n", 1, noon), time.Hour, ErrReplayed},
			{"use", header("m", 1, noon), time.Hour, nil},
		},
		"also at the edges of its window": {
			{"use", header("n", 1, at(2*time.Hour)), 0, nil},
			{"use", header("n", 1, at(2*time.Hour)), 2 * time.Hour, ErrReplayed},
			{"use", header("n", 1, at(2*time.Hour)), 4*time.Hour - time.Minute, ErrReplayed},
		},
		"requests overtake each other": {
			{"use", header("n", 900, noon), 0, nil},
			{"use", header("n", 5, noon), 0, nil},
			{"use", header("n", 5, noon), 0, ErrReplayed},
			{"use", header("n", 1028, noon), 0, nil},
			{"use", header("n", 5, noon), 0, ErrReplayed},
			{"use", header("n", 6, noon), 0, nil},
			{"use", header("n", 4, noon), 0, ErrReplayed},
			{"use", header("n", 900, noon), 0, ErrReplayed},
		},
		"a leap": {
			{"use", header("n", 0, noon), 0, nil},
			{"use", header("n", math.MaxUint64, noon), 0, nil},
			{"use", header("n", math.MaxUint64, noon), 0, ErrReplayed},
			{"use", header("n", 0, noon), 0, ErrReplayed},
			{"use", header("n", math.MaxUint64-3, noon), 0, nil},
		},
		"what was released is good again": {
			{"use", header("n", 1, noon), 0, nil},
			{"release", header("n", 1, noon), 0, nil},
			{"release", header("n", 1, noon), 0, nil},
			{"use", header("n", 1, noon), 0, nil},
			{"use", header("n", 2, noon), 0, nil},
			{"release", header("n", 2, noon), 0, nil},
			{"release", header("other", 2, noon), 0, nil},
			{"release", header("n", 1, at(time.Hour)), 0, nil},
			{"use", header("n", 1, noon), 0, ErrReplayed},
			{"use", header("n", 2, noon), 0, nil},
			{"use", header("n", 2, noon), 0, ErrReplayed},
		},
		"what is too old is forgotten, not believed": {
			{"use", header("n", 1, noon), 0, nil},
			{"use", header("n", 1, at(3*time.Hour)), 3 * time.Hour, nil},
			{"use", header("n", 1, noon), 3 * time.Hour, ErrForgotten},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGuard(100)
			for i, s := range steps {
				if s.do == "release" {
					g.Release(s.h)
					continue
				}
				if err := g.Use(s.h, noon.Add(s.after)); !errors.Is(err, s.want) {
					t.Fatalf("step %d: %v, want %v", i, err, s.want)
				}
			}
		})
	}
}

func TestGuardIsBounded(t *testing.T) {
	const capacity = 50
	g := NewGuard(capacity)
	fill := func(at, now time.Time) (err error) {
		for i := range capacity {
			if err = g.Use(header(fmt.Sprint("n", i), 1, at), now); err != nil {
				return err
			}
		}
		return nil
	}
	if err := fill(noon, noon); err != nil {
		t.Fatal(err)
	}
	if err := g.Use(header("one more", 1, noon), noon); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the capacity: %v", err)
	}
	if err := g.Use(header("n0", 2, noon), noon); err != nil {
		t.Errorf("a known nonce needs no more room: %v", err)
	}
	later := noon.Add(10 * time.Minute)
	if err := g.Use(header("older", 1, noon.Add(-time.Hour)), later); !errors.Is(err, ErrFull) {
		t.Errorf("an older nonce pushes out younger ones: %v", err)
	}
	if err := fill(later, later); err != nil {
		t.Errorf("the older ones should make room: %v", err)
	}
	if err := g.Use(header("n1", 1, noon), later); !errors.Is(err, ErrForgotten) {
		t.Errorf("a token that was forgotten is good again: %v", err)
	}
	if err := fill(later.Add(2*time.Hour), later); !errors.Is(err, ErrFull) {
		t.Errorf("nonces from the future push out those of now: %v", err)
	}
	if g.size > capacity {
		t.Errorf("%d nonces held, at most %d", g.size, capacity)
	}
	end := later.Add(9 * time.Hour)
	if err := g.Use(header("n", 1, end), end); err != nil || g.size != 1 || len(g.minutes) != 1 {
		t.Errorf("%v; %d nonces of %d minutes held after all have expired but one", err, g.size, len(g.minutes))
	}
}

// TestGuardAgainstASet compares the window with a plain set over random counts.
func TestGuardAgainstASet(t *testing.T) {
	g, used, highest := NewGuard(10), map[uint64]bool{}, uint64(0)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		count := uint64(random.IntN(3000)) + uint64(len(used))
		fresh := !used[count] && (count > highest || highest-count < span)
		if err := g.Use(header("n", count, noon), noon); (err == nil) != fresh {
			t.Fatalf("count %d after %d: %v, fresh is %v", count, highest, err, fresh)
		}
		if fresh {
			used[count], highest = true, max(highest, count)
		}
	}
}

func BenchmarkGuardOneNonceEach(b *testing.B) {
	b.ReportAllocs()
	g, i := NewGuard(1<<20), 0
	for b.Loop() {
		i++
		now := noon.Add(time.Duration(i) * 200 * time.Microsecond)
		if err := g.Use(header(fmt.Sprint(i), 0, now), now); err != nil {
			b.Fatal(err)
		}
	}
}
