// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// pushesAtOnce bounds the deliveries of one route that are under way: a slow endpoint holds up its own route only.
const pushesAtOnce = 16

// pushLoop keeps a pusher for every route that pushes and is not stopped.
func (g *Gateway) pushLoop(ctx context.Context) {
	running := map[string]context.CancelFunc{}
	var pushers sync.WaitGroup
	defer pushers.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		wanted := map[string]bool{}
		for _, r := range g.routes.All() {
			if r.Delivery == api.DeliveryPush && !r.Stopped && !g.draining.Load() {
				wanted[r.Interaction] = true
			}
		}
		for interaction, stop := range running {
			if !wanted[interaction] {
				stop()
				delete(running, interaction)
			}
		}
		for interaction := range wanted {
			if running[interaction] == nil {
				child, stop := context.WithCancel(ctx)
				running[interaction] = stop
				pushers.Go(func() { g.push(child, interaction) })
			}
		}
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		case <-tick.C:
		}
	}
}

// push delivers one route's messages until ctx ends, then waits for those under way.
func (g *Gateway) push(ctx context.Context, interaction string) {
	l := g.enter(pushPrefix + interaction)
	defer func() { l.leave(g.now()) }()
	slots := make(chan struct{}, pushesAtOnce)
	defer func() {
		for range pushesAtOnce {
			slots <- struct{}{}
		}
	}()
	for ctx.Err() == nil {
		route, ok := g.routes.Lookup(interaction)
		if !ok {
			return
		}
		// Long enough for every endpoint to time out; the attempt's end always comes first.
		lease := g.now().Add(time.Duration(len(route.Endpoints(g.now())))*route.Timeout.Duration + time.Minute)
		allowed, wait := route.Allow(g.now(), max(1, pushesAtOnce-len(slots)))
		if len(slots) == pushesAtOnce {
			allowed, wait = 0, 10*time.Millisecond
		}
		items, arrived := l.pop(allowed, lease)
		if len(items) == 0 {
			var later <-chan time.Time
			if allowed == 0 {
				arrived, later = nil, time.After(wait)
			}
			select {
			case <-ctx.Done():
			case <-arrived:
			case <-later:
			}
			continue
		}
		route.Took(g.now(), len(items))
		found, err := g.fetch(ctx, l, items)
		if err != nil {
			// What was leased is ready again; the database needs a moment.
			pause(ctx, time.Second)
			continue
		}
		for i := range found {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				g.attempt(context.WithoutCancel(ctx), l, &found[i])
			}()
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// attempt delivers one message once, and settles it or does what the contract says.
func (g *Gateway) attempt(ctx context.Context, l *lane, d *message.Delivery) {
	seq, err := message.ParseID(d.ID)
	if err != nil {
		return
	}
	ref := ledger.Ref{Lane: l.name, Seq: seq}
	route, ok := g.routes.Lookup(d.Interaction)
	if !ok {
		l.release([]message.Seq{seq}, true)
		return
	}
	start := time.Now()
	failure, permanent := g.send(ctx, route, d)
	g.metrics.pushed(route.Supplier, failure == "", time.Since(start))
	if failure == "" {
		if _, err := g.ledger.Settle(ctx, []ledger.Ref{ref}); err != nil {
			// Delivered but not noted: it goes again under the same ID, as the contract allows.
			l.release([]message.Seq{seq}, true)
			return
		}
		l.done(seq)
		return
	}
	_, attempts, found, err := g.ledger.About(ctx, ref)
	if err == nil && !found {
		l.done(seq)
		return
	}
	if err == nil {
		err = g.failed(ctx, ref, attempts+1, failure, permanent)
	}
	if err != nil {
		pause(ctx, time.Second)
		l.release([]message.Seq{seq}, true)
	}
}

// retryStatus says whether a later attempt may succeed after this answer.
func retryStatus(status int) bool {
	switch status {
	case 401, 403, 404, 408, 423, 425, 429:
		return true
	}
	return status >= 500 || status < 400
}

func describe(status int) string { return "the endpoint answered " + strconv.Itoa(status) }

// token is what may stand in a header as it is.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
