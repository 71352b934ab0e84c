// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// linger is how long a commit of messages waits for company when little is queued: below what it takes itself.
	linger = 2 * time.Millisecond
	// messageSpacing is the time between the beginnings of two such commits. At 3,500 messages a second on two
	// processors, what a commit costs at all three replicas decides the slowest hundredth, not this wait.
	messageSpacing = 40 * time.Millisecond
	// commitWithin bounds one attempt at a commit, giveUpAfter all attempts at a batch: a failover takes longer, and
	// senders then hear that they should try again while the queue's bound keeps memory in its limits.
	commitWithin = 8 * time.Second
	giveUpAfter  = 12 * time.Second
	// patience is how long work may wait for its commit, or a settlement for its own, before no more messages are
	// taken: senders keep what the database cannot take, and what was acknowledged is delivered and settled first.
	patience = 4 * time.Second
)

// group is what one caller appends together; it lands in one commit.
type group struct {
	entries []*Entry
	bytes   int64
	// since is when it was queued, in nanoseconds since 1970.
	since int64
	done  sync.WaitGroup
}

// Append writes entries with one commit and returns when it is durable; each entry then says what became of it. The
// error is an OverloadedError: nothing was taken. The caller's bodies are in use until it returns.
func (l *Ledger) Append(entries []*Entry) error {
	if l.late() {
		return &message.OverloadedError{RetryAfter: time.Second}
	}
	g := &group{entries: entries, since: time.Now().UnixNano()}
	for _, e := range entries {
		if err := e.seal(); err != nil {
			return err
		}
		g.bytes += int64(len(e.Body)) + 512
	}
	if l.inFlight.Add(g.bytes) > l.config.InFlightBytes {
		l.inFlight.Add(-g.bytes)
		return &message.OverloadedError{RetryAfter: time.Second}
	}
	defer l.inFlight.Add(-g.bytes)
	if weakened {
		g = g.copied()
	}
	g.done.Add(1)
	select {
	case l.appending.queue <- g:
	default:
		return &message.OverloadedError{RetryAfter: time.Second}
	}
	if !weakened {
		g.done.Wait()
	}
	return nil
}

// write is a writer: it commits what is queued, batch by batch, on its own connection.
func (l *Ledger) write(h *hand) {
	w := &writer{ledger: l, hand: h, session: session{source: listed(l.config.Database), prepare: prepareInserts}}
	defer w.close()
	// What is queued at the stop is still written: its submitters wait.
	for groups := l.appending.next(l.stop); groups != nil; groups = l.appending.next(l.stop) {
		w.commit(groups)
	}
}

type writer struct {
	session
	ledger *Ledger
	hand   *hand
	batch  batch
}

func (w *writer) commit(groups []*group) {
	w.hand.since.Store(groups[0].since)
	defer func() {
		w.hand.since.Store(0)
		for _, g := range groups {
			g.done.Done()
		}
	}()
	entries := w.batch.fill(groups)
	deadline := time.Now().Add(giveUpAfter)
	var err error
	for attempt := 0; ; attempt++ {
		err = w.try(entries, attempt > 0)
		w.ledger.reach(err)
		if err == nil {
			break
		}
		if time.Now().After(deadline) || !retryable(err) {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	accepted := int64(0)
	for _, e := range entries {
		if err != nil {
			e.Err = unavailable(err)
		} else if e.Err == nil && e.Duplicate == 0 {
			accepted++
		}
	}
	w.batch.spread()
	w.ledger.acknowledged.Add(accepted)
}

func (w *writer) try(entries []*Entry, again bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
	defer cancel()
	return w.with(ctx, func(conn *pgx.Conn) error { return w.batch.insert(ctx, conn, entries, again) })
}
