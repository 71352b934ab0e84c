// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"testing/synctest"
	"time"
)

const spacing = 25 * time.Millisecond

// gathering of numbers, each as many messages and bytes as it says.
func gathering() *gatherer[int] {
	return &gatherer[int]{
		queue: make(chan int, 1000), spacing: spacing, enough: 50, most: 100, mostBytes: 1 << 20,
		measure: func(n int) (int, int64) { return n, int64(n) },
	}
}

func sum(batch []int) (n int) {
	for _, piece := range batch {
		n += piece
	}
	return n
}

// A lone message goes at once; what comes soon after waits, together, until the spacing is over.
func TestGatherKeepsCommitsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begin := gathering(), time.Now()
		time.Sleep(time.Second)
		g.queue <- 1
		if batch := g.next(nil); sum(batch) != 1 || time.Since(begin) != time.Second {
			t.Fatalf("the first left after %s as %v", time.Since(begin)-time.Second, batch)
		}
		go func() {
			for range 5 {
				g.queue <- 2
				time.Sleep(4 * time.Millisecond)
			}
		}()
		if batch := g.next(nil); sum(batch) != 10 || time.Since(begin) != time.Second+spacing {
			t.Fatalf("the second left after %s as %v", time.Since(begin)-time.Second, batch)
		}
	})
}

// A batch that has enough does not wait, and takes what is there already; none grows past its limits.
func TestGatherLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begin := gathering(), time.Now()
		g.last = begin
		for range 150 {
			g.queue <- 1
		}
		if batch := g.next(nil); len(batch) != 100 || time.Since(begin) != 0 {
			t.Errorf("%d messages after %s, want 100 at once", len(batch), time.Since(begin))
		}
		g.queue <- 2
		if batch := g.next(nil); sum(batch) != 52 || time.Since(begin) != 0 {
			t.Errorf("%d messages after %s, want the 52 that are left, at once", sum(batch), time.Since(begin))
		}
		g.mostBytes = 30
		for range 4 {
			g.queue <- 20
		}
		if batch := g.next(nil); sum(batch) != 40 {
			t.Errorf("%d bytes, want to end with the piece that passes 30", sum(batch))
		}
	})
}

// At the end what is queued is not left behind, and nothing is waited for.
func TestGatherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begin, stop := gathering(), time.Now(), make(chan struct{})
		g.last = begin
		g.queue <- 1
		g.queue <- 2
		close(stop)
		var all int
		for batch := g.next(stop); batch != nil; batch = g.next(stop) {
			all += sum(batch)
		}
		if all != 3 || time.Since(begin) > 2*spacing {
			t.Errorf("%d of 3, after %s", all, time.Since(begin))
		}
	})
}
