// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// maxDoubts bounds the references in doubt; those above it are found when their queue is looked at.
const maxDoubts = 100_000

// doubts are references to messages of which nobody knows whether the ledger holds them: the database went away while it
// committed them. A sender that tries again hears that its message was accepted before, so nothing else would give the
// broker its reference for as long as strayHeld.
type doubts struct {
	mu    sync.Mutex
	since map[ledger.Ref]time.Time
}

func (d *doubts) add(now time.Time, refs ...ledger.Ref) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since == nil {
		d.since = map[ledger.Ref]time.Time{}
	}
	for _, r := range refs[:min(len(refs), maxDoubts-len(d.since))] {
		d.since[r] = now
	}
}

func (d *doubts) all() []ledger.Ref {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.since))
}

// drop ends the doubt about some, and about all that came before a time: those never got there.
func (d *doubts) drop(before time.Time, refs ...ledger.Ref) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range refs {
		delete(d.since, r)
	}
	maps.DeleteFunc(d.since, func(_ ledger.Ref, since time.Time) bool { return since.Before(before) })
}

// oldest is the lowest number in doubt; 0 when there is none.
func (d *doubts) oldest() (oldest message.Seq) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for r := range d.since {
		if oldest == 0 || r.Seq < oldest {
			oldest = r.Seq
		}
	}
	return oldest
}

// resolve gives the broker those references in doubt that the ledger turns out to hold.
func (g *Gateway) resolve(ctx context.Context) error {
	refs := g.doubts.all()
	if len(refs) == 0 {
		return nil
	}
	found, err := g.ledger.Waiting(ctx, refs)
	if err != nil {
		return err
	}
	for _, r := range found {
		g.publisher.Add(r.Lane, r.Seq)
	}
	g.doubts.drop(g.now().Add(-strayHeld), found...)
	if len(found) > 0 {
		g.metrics.replayed.Add(float64(len(found)))
		g.log.Info("the ledger holds messages whose commit was in doubt; dispatching them", "messages", len(found))
	}
	return nil
}
