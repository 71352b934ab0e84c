// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// linger is how long a writer waits for company when little is queued: below what a commit takes.
	linger = 2 * time.Millisecond
	// commitWithin bounds one attempt at a commit, giveUpAfter all attempts at a batch: a failover takes longer, and
	// senders then hear that they should try again while the queue's bound keeps memory in its limits.
	commitWithin = 8 * time.Second
	giveUpAfter  = 12 * time.Second
)

// group is what one caller appends together; it lands in one commit.
type group struct {
	entries []*Entry
	bytes   int64
	done    sync.WaitGroup
}

// Append writes entries with one commit and returns when it is durable; each entry then says what became of it. The
// error is an OverloadedError: nothing was taken. The caller's bodies are in use until it returns.
func (l *Ledger) Append(entries []*Entry) error {
	g := &group{entries: entries}
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
	case l.queue <- g:
	default:
		return &message.OverloadedError{RetryAfter: time.Second}
	}
	if !weakened {
		g.done.Wait()
	}
	return nil
}

// write is a writer: it commits what is queued, batch by batch, on its own connection.
func (l *Ledger) write() {
	w := &writer{ledger: l}
	defer w.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case g := <-l.queue:
			w.commit(l.collect(g, timer))
		case <-l.stop:
			// What is queued at the stop is still written: its submitters wait.
			select {
			case g := <-l.queue:
				w.commit(l.collect(g, timer))
			default:
				return
			}
		}
	}
}

// collect adds to the first group what else is queued, up to the bounds of a batch.
func (l *Ledger) collect(first *group, timer *time.Timer) []*group {
	batch, messages, bytes := []*group{first}, len(first.entries), first.bytes
	waited := false
	for messages < l.config.BatchMessages && bytes < int64(l.config.BatchBytes) {
		select {
		case g := <-l.queue:
			batch, messages, bytes = append(batch, g), messages+len(g.entries), bytes+g.bytes
			continue
		default:
		}
		if waited || messages > l.config.BatchMessages/4 {
			break
		}
		waited = true
		timer.Reset(linger)
		select {
		case g := <-l.queue:
			batch, messages, bytes = append(batch, g), messages+len(g.entries), bytes+g.bytes
		case <-timer.C:
		}
	}
	return batch
}

type writer struct {
	ledger *Ledger
	conn   *pgx.Conn
	// doubt is set when the server warned during a statement: a commit whose wait for the standbys was cut short
	// succeeds with no more than a warning.
	doubt bool
	batch batch
}

func (w *writer) close() {
	if w.conn != nil {
		_ = w.conn.Close(context.Background())
		w.conn = nil
	}
}

func (w *writer) commit(groups []*group) {
	defer func() {
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
		w.close()
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
	if err := w.connect(ctx); err != nil {
		return err
	}
	w.doubt = false
	if err := w.batch.insert(ctx, w.conn, entries, again); err != nil {
		return err
	}
	if w.doubt {
		return fmt.Errorf("%w: the server warned that a commit may not be on its standbys", message.ErrUnavailable)
	}
	return nil
}

func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	config, err := w.ledger.config.Database()
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "message-gateway-writer"
	// The plan is made once, without knowing how many rows come: nested loops over them would cost their square.
	config.RuntimeParams["enable_nestloop"] = "off"
	config.RuntimeParams["jit"] = "off"
	config.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.SeverityUnlocalized == "WARNING" {
			w.doubt = true
		}
	}
	if w.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return err
	}
	return prepareInserts(ctx, w.conn)
}
