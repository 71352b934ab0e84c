// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// account is what senders were told, and what receivers got.
type account struct {
	mu           sync.Mutex
	acknowledged map[string]string
	received     map[string]string
	settled      map[string]bool
	again        int
}

func (tr *account) counts() (acknowledged, received int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.acknowledged), len(tr.received)
}

// feed sends batches until stopped, and repeats each until it is acknowledged.
func (tr *account) feed(ctx context.Context, name string, gateways func() *Gateway) {
	for n := 0; ctx.Err() == nil; n++ {
		batch := make([]*message.Submission, 20)
		for i := range batch {
			batch[i] = aMessage("INT1", "PSIS", fmt.Sprintf("%s-%d-%d", name, n, i))
		}
		for len(batch) > 0 && ctx.Err() == nil {
			var rest []*message.Submission
			for i, r := range gateways().SubmitBatch(ctx, batch) {
				if r.Err != nil {
					rest = append(rest, batch[i])
					continue
				}
				tr.mu.Lock()
				tr.acknowledged[batch[i].RequestID] = r.ID
				tr.mu.Unlock()
			}
			if batch = rest; len(rest) > 0 {
				time.Sleep(50 * time.Millisecond)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (tr *account) drain(ctx context.Context, gateways func() *Gateway) {
	for ctx.Err() == nil {
		g := gateways()
		found, err := g.Receive(ctx, "INT1", 50, 200*time.Millisecond)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		leases := make([]string, len(found))
		tr.mu.Lock()
		for i, d := range found {
			leases[i] = d.Lease
			if tr.settled[d.ID] {
				tr.again++
			}
			tr.received[d.RequestID] = d.ID
		}
		tr.mu.Unlock()
		for i, err := range g.Settle(ctx, "INT1", leases) {
			if err == nil {
				tr.mu.Lock()
				tr.settled[found[i].ID] = true
				tr.mu.Unlock()
			}
		}
	}
}

func TestNothingIsLostWhilePartsDie(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	replicas := []*replica{s.start(), s.start()}
	turn := 0
	pick := func() *Gateway {
		mu.Lock()
		defer mu.Unlock()
		turn++
		return replicas[turn%len(replicas)].Gateway
	}
	tr := &account{acknowledged: map[string]string{}, received: map[string]string{}, settled: map[string]bool{}}
	feeding, stopFeeding := context.WithCancel(t.Context())
	draining, stopDraining := context.WithCancel(t.Context())
	var feeders, drainers sync.WaitGroup
	for n := range 3 {
		feeders.Go(func() { tr.feed(feeding, fmt.Sprint(n), pick) })
	}
	for range 2 {
		drainers.Go(func() { tr.drain(draining, pick) })
	}
	progress := func(what string) {
		t.Helper()
		before, _ := tr.counts()
		eventually(t, "acknowledgements go on after "+what, func() bool { now, _ := tr.counts(); return now > before+100 })
	}
	progress("the start")
	s.broker.Kill()
	progress("the broker was killed")
	if err := s.broker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.db.Kill()
	if err := s.db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	progress("the database was killed")
	mu.Lock()
	dead := replicas[0]
	replicas = replicas[1:]
	mu.Unlock()
	dead.kill()
	// Less than a lease: nothing that is on its way is given out twice.
	s.step(deadAfter + time.Second)
	progress("a replica was killed")
	s.broker.Kill()
	if err := s.broker.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.broker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	progress("the broker was wiped")
	stopFeeding()
	feeders.Wait()
	eventually(t, "all that was acknowledged is delivered", func() bool {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		for request := range tr.acknowledged {
			if _, ok := tr.received[request]; !ok {
				return false
			}
		}
		return true
	})
	stopDraining()
	drainers.Wait()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for request, id := range tr.acknowledged {
		if tr.received[request] != id {
			t.Errorf("%s was acknowledged as %s and came as %s", request, id, tr.received[request])
		}
	}
	if tr.again != 0 {
		t.Errorf("%d messages came again after they were settled", tr.again)
	}
	t.Logf("%d acknowledged, %d received", len(tr.acknowledged), len(tr.received))
}
