// SPDX-License-Identifier: Apache-2.0

package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Status is what /statusz shows: of the whole service, not only of this replica, but for broker and database.
type Status struct {
	// Acknowledged and Settled count over all time and lag by a second; Unsettled is exact.
	Acknowledged           int64       `json:"acknowledged"`
	Settled                int64       `json:"settled"`
	Unsettled              int64       `json:"unsettled"`
	OldestUnsettledSeconds float64     `json:"oldestUnsettledSeconds"`
	DeadLettered           []DeadCount `json:"deadLettered"`
	StoppedSuppliers       []string    `json:"stoppedSuppliers"`
	Broker                 Reached     `json:"broker"`
	Database               Reached     `json:"database"`
	// Standbys that receive what the database writes; null when it does not say.
	Standbys []string `json:"standbys"`
}

// DeadCount is the number of a supplier's dead letters.
type DeadCount struct {
	Supplier string `json:"supplier"`
	Count    int64  `json:"count"`
}

// Reached says whether this replica has a connection.
type Reached struct {
	Connected bool `json:"connected"`
}

// statusCache keeps a status for a moment: counting reads a whole table, and several may ask.
type statusCache struct {
	mu     sync.Mutex
	status Status
	until  time.Time
}

// Status counts. The answer is at most 2 s old, or 10 times as old as counting took.
func (g *Gateway) Status(ctx context.Context) (Status, error) {
	c := &g.status
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.until) {
		start := time.Now()
		status, err := g.count(ctx)
		if err != nil {
			return Status{}, err
		}
		c.status, c.until = status, time.Now().Add(max(2*time.Second, min(10*time.Since(start), 15*time.Second)))
	}
	s := c.status
	s.StoppedSuppliers = append([]string{}, g.routes.Stopped()...)
	s.Broker.Connected = g.publisher.Connected() && g.consumers.Connected()
	s.Database.Connected = g.ledger.Connected()
	return s, nil
}

func (g *Gateway) count(ctx context.Context) (Status, error) {
	backlog, err := g.ledger.Backlog(ctx)
	if err != nil {
		return Status{}, err
	}
	totals, err := g.ledger.Totals(ctx)
	if err != nil {
		return Status{}, err
	}
	dead, err := g.ledger.DeadCounts(ctx)
	if err != nil {
		return Status{}, err
	}
	standbys, err := g.ledger.Standbys(ctx)
	if err != nil {
		return Status{}, err
	}
	s := Status{Acknowledged: totals.Acknowledged, Settled: totals.Settled, Unsettled: backlog.Unsettled, DeadLettered: []DeadCount{}, Standbys: standbys}
	if backlog.Oldest != 0 {
		s.OldestUnsettledSeconds = max(0, g.now().Sub(backlog.Oldest.At()).Seconds())
	}
	for supplier, n := range dead {
		s.DeadLettered = append(s.DeadLettered, DeadCount{supplier, n})
	}
	slices.SortFunc(s.DeadLettered, func(a, b DeadCount) int { return cmp.Compare(a.Supplier, b.Supplier) })
	return s, nil
}

// Deep sends one message through the whole path: ledger, broker, consumer, settlement.
func (g *Gateway) Deep(ctx context.Context) ops.Deep {
	var d ops.Deep
	name := "probe/" + strconv.Itoa(g.ledger.Node())
	e := &ledger.Entry{
		Submission: &message.Submission{Sender: ledger.ProbeBox, Recipient: ledger.ProbeBox, Interaction: "SPINE_PROBE", Body: []byte("probe")},
		Lane:       name, Parts: 1,
	}
	d.Run("ledger", func() error {
		if err := g.commit([]*ledger.Entry{e}); err != nil {
			return err
		}
		return e.Err
	})
	l := g.enter(name)
	defer func() { l.leave(g.now()) }()
	d.Run("publish", func() error { return g.publisher.Deliver(ctx, name, e.Seq) })
	d.Run("consume", func() error { return g.consumeProbe(ctx, l, e.Seq) })
	d.Run("settle", func() error {
		gone, err := g.ledger.Settle(ctx, []ledger.Ref{{Lane: name, Seq: e.Seq}})
		if err == nil && !gone[0] {
			err = fmt.Errorf("message %s was not there to settle", e.Seq)
		}
		l.done(e.Seq)
		return err
	})
	return d
}

// consumeProbe waits until the message comes; others are left over from probes that were cut off.
func (g *Gateway) consumeProbe(ctx context.Context, l *lane, seq message.Seq) error {
	for {
		items, arrived := l.pop(1, g.now().Add(g.config.Lease))
		if len(items) == 0 {
			select {
			case <-arrived:
				continue
			case <-ctx.Done():
				return fmt.Errorf("the reference did not come back from the broker: %w", context.Cause(ctx))
			}
		}
		if items[0].seq != seq && items[0].seq.At().Before(seq.At().Add(-time.Minute)) {
			l.done(items[0].seq)
			continue
		}
		if items[0].seq != seq {
			// Another probe at the same time waits for it.
			l.release([]message.Seq{items[0].seq}, true)
			pause(ctx, 5*time.Millisecond)
			continue
		}
		found, err := g.fetch(ctx, l, items)
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("message %s is not in the ledger", seq)
		}
		return err
	}
}

// DeadLetters lists a supplier's dead letters.
func (g *Gateway) DeadLetters(ctx context.Context, supplier, after string, most int) ([]ledger.Dead, error) {
	var from message.Seq
	if after != "" {
		var err error
		if from, err = message.ParseID(after); err != nil {
			return nil, err
		}
	}
	return g.ledger.DeadLetters(ctx, supplier, from, most)
}

// Revive puts dead letters back: those named, or all of the supplier, up to 1000 at a time. The keeper dispatches them.
func (g *Gateway) Revive(ctx context.Context, supplier string, ids []string) (int, error) {
	var seqs []message.Seq
	for _, id := range ids {
		seq, err := message.ParseID(id)
		if err != nil {
			return 0, err
		}
		seqs = append(seqs, seq)
	}
	refs, err := g.ledger.Revive(ctx, supplier, seqs, 1000)
	return len(refs), err
}
