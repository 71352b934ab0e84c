// SPDX-License-Identifier: Apache-2.0

// Package outbox carries out what bookings have caused: events go through the
// message gateway, and slots are given back at providers' systems. Entries were
// written in the transaction of the booking, so none is lost; each is repeated
// until its effect is acknowledged, under one request id, so the receiver sees
// it once.
package outbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// Store keeps the entries.
type Store interface {
	Events(ctx context.Context, lease time.Duration, limit int) ([]store.Entry, error)
	Releases(ctx context.Context, lease time.Duration, limit int) ([]store.Entry, error)
	Done(ctx context.Context, ids []int64) error
	Postpone(ctx context.Context, ids []int64, after time.Duration) error
}

// Verdict is what became of one sent entry.
type Verdict int

const (
	// Retry: nobody knows, or not yet; the same again later.
	Retry Verdict = iota
	// Acknowledged: the receiver has it, now or from an earlier try.
	Acknowledged
	// Refused: it is not wanted as it is. It is kept and tried again at the
	// longest interval: someone has to correct a route or a mailbox.
	Refused
)

// Sender sends events. It returns one verdict for each entry; on an error all
// of them are to be retried.
type Sender interface {
	Send(ctx context.Context, entries []store.Entry) ([]Verdict, error)
}

// Releaser gives a slot back; it may be repeated.
type Releaser interface {
	Release(ctx context.Context, r store.Release) error
}

// Settings may change while the outbox works.
type Settings struct {
	Batch int           // events of one send
	Most  time.Duration // longest time between two tries
}

// Outbox works the entries off.
type Outbox struct {
	Store    Store
	Sender   Sender
	Releaser Releaser
	Settings func() Settings
	Log      *slog.Logger
}

const (
	pause    = 200 * time.Millisecond // between looks at an empty outbox
	lease    = 60 * time.Second       // entries in the hands of one replica
	sendTime = 15 * time.Second       // one request to the gateway
	// releases of one round, and how long each may take: all fit into the lease.
	releases    = 16
	releaseTime = 30 * time.Second
)

// Run works until ctx ends.
func (o *Outbox) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { o.loop(ctx, "events", o.events) })
	both.Go(func() { o.loop(ctx, "releases", o.release) })
	both.Wait()
}

// loop runs rounds, without pause while there is work, and after failures with
// growing ones.
func (o *Outbox) loop(ctx context.Context, name string, round func(context.Context) (int, error)) {
	wait := pause
	for {
		n, err := round(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			o.Log.Warn("outbox does not get on", "part", name, "error", err, "again", wait)
			wait = min(2*wait, max(o.Settings().Most, pause))
		case n > 0:
			wait = pause
			continue
		default:
			wait = pause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// events sends one batch. It returns how many were acknowledged.
func (o *Outbox) events(ctx context.Context) (int, error) {
	settings := o.Settings()
	entries, err := o.Store.Events(ctx, lease, settings.Batch)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	verdicts, failed := o.Sender.Send(sending, entries)
	cancel()
	// What was acknowledged is stored even when the program is told to stop now.
	ctx = context.WithoutCancel(ctx)
	var done, again, refused []int64
	for i, e := range entries {
		switch {
		case failed != nil || verdicts[i] == Retry:
			again = append(again, e.ID)
		case verdicts[i] == Acknowledged:
			done = append(done, e.ID)
		default:
			refused = append(refused, e.ID)
		}
	}
	if len(refused) > 0 {
		o.Log.Error("the message gateway refuses events: correct the route or the mailbox", "count", len(refused), "first", refused[0])
	}
	if err := o.Store.Done(ctx, done); err != nil {
		return 0, err
	}
	if err := o.Store.Postpone(ctx, refused, settings.Most); err != nil {
		return 0, err
	}
	if err := o.Store.Postpone(ctx, again, time.Second); err != nil {
		return 0, err
	}
	return len(done), failed
}

// release tells providers' systems, several at once: one that is silent holds
// up nobody else.
func (o *Outbox) release(ctx context.Context) (int, error) {
	entries, err := o.Store.Releases(ctx, lease, releases)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	var all sync.WaitGroup
	for _, e := range entries {
		all.Go(func() { o.releaseOne(ctx, e) })
	}
	all.Wait()
	return len(entries), nil
}

func (o *Outbox) releaseOne(ctx context.Context, e store.Entry) {
	var r store.Release
	err := json.Unmarshal(e.Body, &r)
	if err == nil {
		asking, cancel := context.WithTimeout(ctx, releaseTime)
		err = o.Releaser.Release(asking, r)
		cancel()
	}
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		if err := o.Store.Done(ctx, []int64{e.ID}); err != nil {
			o.Log.Warn("release not recorded; it will be repeated", "entry", e.ID, "error", err)
		}
		return
	}
	// 2, 4, 8 ... seconds, at most ten minutes.
	after := min(time.Duration(1<<min(e.Attempts, 10))*time.Second, 10*time.Minute)
	o.Log.Warn("slot not given back at the provider", "service", r.Service, "tries", e.Attempts, "again", after, "error", err)
	if err := o.Store.Postpone(ctx, []int64{e.ID}, after); err != nil {
		o.Log.Warn("release not postponed; it comes again after its lease", "entry", e.ID, "error", err)
	}
}
