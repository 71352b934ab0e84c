// SPDX-License-Identifier: Apache-2.0

// Package routes answers by which route an interaction's messages travel now. Clients and other systems cache routes for
// 15 minutes, so a route that was taken away, and an endpoint that was changed, stay good for that long.
package routes

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// Outlive is how long an old route or endpoint stays good after a change.
const Outlive = 900 * time.Second

// Route is a route with what its supplier says.
type Route struct {
	api.Route
	// Stopped: the route or its supplier is stopped by an operator.
	Stopped bool
	// Former are the endpoints that it had within the last 15 minutes, newest first.
	Former []Former

	limits []*rate.Limiter
	// until is when a route that was taken away ends; zero for the others.
	until time.Time
}

// Former is an endpoint of before.
type Former struct {
	Endpoint string
	Until    time.Time
}

// Dedupe says whether repeats are recognised.
func (r *Route) Dedupe() bool {
	return r.Reliability != nil && r.Reliability.DuplicateElimination == api.DuplicateEliminationAlways
}

// Endpoints are where to send now, best first.
func (r *Route) Endpoints(now time.Time) []string {
	urls := []string{r.Endpoint}
	for _, f := range r.Former {
		if now.Before(f.Until) && !slices.Contains(urls, f.Endpoint) {
			urls = append(urls, f.Endpoint)
		}
	}
	return urls
}

// throttleWait is when to look again after a limit was reached.
const throttleWait = 100 * time.Millisecond

// Allow says how many of n messages (at least 1) the route and its supplier may have now, and when none, how long to
// wait. Took then notes how many went.
func (r *Route) Allow(now time.Time, n int) (int, time.Duration) { return allow(r.limits, now, n) }

// Took notes messages that went.
func (r *Route) Took(now time.Time, n int) { took(r.limits, now, n) }

func allow(limits []*rate.Limiter, now time.Time, n int) (int, time.Duration) {
	for _, l := range limits {
		n = min(n, int(l.TokensAt(now)))
	}
	if n < 1 {
		return 0, throttleWait
	}
	return n, 0
}

// took may go below nothing when several took at once: the next ones then wait longer.
func took(limits []*rate.Limiter, now time.Time, n int) {
	for _, l := range limits {
		l.ReserveN(now, n)
	}
}

// Allow is Route.Allow for what a supplier's systems collect.
func (t *Table) Allow(supplier string, now time.Time, n int) (int, time.Duration) {
	return allow(t.supplierLimits(supplier), now, n)
}

// Took is Route.Took for what a supplier's systems collect.
func (t *Table) Took(supplier string, now time.Time, n int) { took(t.supplierLimits(supplier), now, n) }

func (t *Table) supplierLimits(supplier string) []*rate.Limiter {
	if l := t.table.Load().limits["supplier/"+supplier]; l != nil {
		return []*rate.Limiter{l}
	}
	return nil
}

type table struct {
	routes  map[string]*Route
	stopped []string
	limits  map[string]*rate.Limiter
	share   int
	config  *api.GatewayConfig
}

// Table is the present routes.
type Table struct {
	now   func() time.Time
	table atomic.Pointer[table]
}

// New makes an empty table; now is the clock.
func New(now func() time.Time) *Table {
	t := &Table{now: now}
	t.table.Store(&table{routes: map[string]*Route{}, share: 1})
	return t
}

// Set takes up a configuration. One goroutine at a time may call Set or Share.
func (t *Table) Set(config *api.GatewayConfig) {
	old := t.table.Load()
	next := build(config, old, t.now())
	t.table.Store(next)
}

// Share says how many replicas share the suppliers' limits.
func (t *Table) Share(replicas int) {
	old := t.table.Load()
	if replicas < 1 || replicas == old.share || old.config == nil {
		return
	}
	for _, l := range old.limits {
		l.SetLimit(l.Limit() * rate.Limit(old.share) / rate.Limit(replicas))
	}
	next := *old
	next.share = replicas
	t.table.Store(&next)
}

func build(config *api.GatewayConfig, old *table, now time.Time) *table {
	next := &table{
		routes: make(map[string]*Route, len(config.Routes)),
		limits: map[string]*rate.Limiter{}, share: old.share, config: config,
	}
	for _, s := range config.Suppliers {
		next.limit("supplier/"+s.Name, s.MessagesPerSecond)
		if s.Traffic == api.TrafficStopped {
			next.stopped = append(next.stopped, s.Name)
		}
	}
	for _, r := range config.Routes {
		route := &Route{Route: r}
		route.Stopped = r.Traffic == api.TrafficStopped || slices.Contains(next.stopped, r.Supplier)
		next.limit("route/"+r.Interaction, r.MessagesPerSecond)
		for _, name := range []string{"supplier/" + r.Supplier, "route/" + r.Interaction} {
			if l := next.limits[name]; l != nil {
				route.limits = append(route.limits, l)
			}
		}
		if before := old.routes[r.Interaction]; before != nil {
			route.Former = former(before, r.Endpoint, now)
		}
		next.routes[r.Interaction] = route
	}
	for name, before := range old.routes {
		if _, ok := next.routes[name]; ok {
			continue
		}
		gone := *before
		if gone.until.IsZero() {
			gone.until = now.Add(Outlive)
		}
		if now.Before(gone.until) {
			next.routes[name] = &gone
		}
	}
	return next
}

func former(before *Route, endpoint string, now time.Time) []Former {
	var kept []Former
	if before.Endpoint != "" && before.Endpoint != endpoint {
		kept = append(kept, Former{before.Endpoint, now.Add(Outlive)})
	}
	for _, f := range before.Former {
		if now.Before(f.Until) && f.Endpoint != endpoint && f.Endpoint != before.Endpoint {
			kept = append(kept, f)
		}
	}
	return kept
}

// limit makes a limiter for a replica's share of a rate; a burst is a second's worth. 0 means no limit.
func (t *table) limit(name string, perSecond int32) {
	if perSecond > 0 {
		t.limits[name] = rate.NewLimiter(rate.Limit(perSecond)/rate.Limit(t.share), max(1, int(perSecond)/t.share))
	}
}

// Lookup finds the route of an interaction.
func (t *Table) Lookup(interaction string) (*Route, bool) {
	r, ok := t.table.Load().routes[interaction]
	if !ok || (!r.until.IsZero() && !t.now().Before(r.until)) {
		return nil, false
	}
	return r, true
}

// All lists the routes that are good now.
func (t *Table) All() []*Route {
	var all []*Route
	for name := range t.table.Load().routes {
		if r, ok := t.Lookup(name); ok {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Route) int { return cmp.Compare(a.Interaction, b.Interaction) })
	return all
}

// Stopped are the names of the stopped suppliers.
func (t *Table) Stopped() []string { return t.table.Load().stopped }

// Config is the present configuration; nil before the first Set.
func (t *Table) Config() *api.GatewayConfig { return t.table.Load().config }

// Longest is the longest time for which any route recognises repeats.
func (t *Table) Longest() time.Duration {
	longest := 24 * time.Hour
	for _, r := range t.table.Load().routes {
		if r.Reliability != nil {
			longest = max(longest, r.Reliability.PersistDuration.Duration)
		}
	}
	return longest
}
