// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/dispatch"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// idleAfter is how long a lane that nobody takes from keeps its consumer: then its references go back to the broker,
// for replicas where somebody does.
const idleAfter = 10 * time.Second

// lane is what this replica holds of a lane's references: those ready to be taken, and those under lease. Everything in
// it comes again from the broker when it is lost.
type lane struct {
	name string
	stop context.CancelFunc

	mu    sync.Mutex
	items map[message.Seq]*item
	ready []*item
	// arrived is closed and replaced when something becomes ready.
	arrived chan struct{}
	users   int
	used    time.Time
}

// item is a reference.
type item struct {
	seq   message.Seq
	batch *held
	// until is the end of the lease; zero while it is ready.
	until time.Time
	// deliveries counts leases.
	deliveries int
}

// held is a batch of the broker with the number of its references that are not done.
type held struct {
	batch *dispatch.Batch
	left  int
}

func (h *held) drop() {
	if h.left--; h.left == 0 {
		h.batch.Done()
	}
}

// enter finds or opens a lane for a user, who must leave it.
func (g *Gateway) enter(name string) *lane {
	g.lanesMu.Lock()
	defer g.lanesMu.Unlock()
	l := g.lanes[name]
	if l == nil {
		ctx, stop := context.WithCancel(g.background)
		l = &lane{name: name, stop: stop, items: map[message.Seq]*item{}, arrived: make(chan struct{})}
		g.lanes[name] = l
		g.workers.Go(func() {
			g.consumers.Consume(ctx, name, func() { g.replayLane(name, nil) }, l.take, l.lost)
		})
	}
	l.mu.Lock()
	l.users++
	l.mu.Unlock()
	return l
}

func (l *lane) leave(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	l.used = now
}

// take receives a batch from the broker.
func (l *lane) take(b *dispatch.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &held{batch: b, left: len(b.Refs)}
	if h.left == 0 {
		b.Done()
		return
	}
	for _, seq := range b.Refs {
		if known := l.items[seq]; known != nil {
			// Here before: from now on the newer batch stands for it.
			known.batch.drop()
			known.batch = h
			continue
		}
		it := &item{seq: seq, batch: h}
		l.items[seq] = it
		l.ready = append(l.ready, it)
	}
	l.wake()
}

// wake tells who waits; the caller holds the lock.
func (l *lane) wake() {
	close(l.arrived)
	l.arrived = make(chan struct{})
}

// lost forgets what is ready: the broker gives it to somebody again. What is leased stays, so that this replica does
// not give it out twice when it comes again.
func (l *lane) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.ready {
		delete(l.items, it.seq)
	}
	l.ready = nil
}

// pop leases up to n references until a time; when there are none it returns a channel to wait on.
func (l *lane) pop(n int, until time.Time) ([]*item, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = min(n, len(l.ready))
	if n == 0 {
		return nil, l.arrived
	}
	taken := make([]*item, n)
	copy(taken, l.ready)
	l.ready = append(l.ready[:0], l.ready[n:]...)
	for _, it := range taken {
		it.until = until
		it.deliveries++
	}
	return taken, nil
}

// done ends references for good, in whatever state they are.
func (l *lane) done(seqs ...message.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, seq := range seqs {
		it := l.items[seq]
		if it == nil {
			continue
		}
		delete(l.items, seq)
		if it.until.IsZero() {
			for i, r := range l.ready {
				if r == it {
					l.ready = append(l.ready[:i], l.ready[i+1:]...)
					break
				}
			}
		}
		it.batch.drop()
	}
}

// release makes leased references ready again; again tells that it was not this receiver's doing.
func (l *lane) release(seqs []message.Seq, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, seq := range seqs {
		if it := l.items[seq]; it != nil && !it.until.IsZero() {
			it.until = time.Time{}
			if again {
				it.deliveries--
			}
			l.ready = append(l.ready, it)
		}
	}
	if len(l.ready) > 0 {
		l.wake()
	}
}

// expire makes ready what was leased until before now. It says whether the lane is idle.
func (l *lane) expire(now time.Time) (idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	leased, expired := 0, false
	for _, it := range l.items {
		switch {
		case it.until.IsZero():
		case now.After(it.until):
			it.until = time.Time{}
			l.ready = append(l.ready, it)
			expired = true
		default:
			leased++
		}
	}
	if expired {
		l.wake()
	}
	return l.users == 0 && leased == 0 && now.Sub(l.used) > idleAfter
}

// forget drops a reference that was settled by another way than its lease.
func (g *Gateway) forget(name string, seqs ...message.Seq) {
	g.lanesMu.Lock()
	l := g.lanes[name]
	g.lanesMu.Unlock()
	if l != nil {
		l.done(seqs...)
	}
}

// expireLanes ends leases and closes idle lanes.
func (g *Gateway) expireLanes(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := g.now()
		g.lanesMu.Lock()
		for name, l := range g.lanes {
			if l.expire(now) {
				l.stop()
				delete(g.lanes, name)
			}
		}
		g.lanesMu.Unlock()
	}
}

// wakeAll lets every receiver look up: the replica drains.
func (g *Gateway) wakeAll() {
	g.lanesMu.Lock()
	defer g.lanesMu.Unlock()
	for _, l := range g.lanes {
		l.mu.Lock()
		l.wake()
		l.mu.Unlock()
	}
}
