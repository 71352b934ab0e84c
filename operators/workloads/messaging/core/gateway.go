// SPDX-License-Identifier: Apache-2.0

// Package core is the inside of the message gateway: it accepts messages into the ledger, dispatches references to them
// through the broker, leases, pushes and settles them, and keeps the contract of each interaction.
package core

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/dispatch"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// Config is what a gateway works with.
type Config struct {
	Ledger    *ledger.Ledger
	Broker    dispatch.Source
	Routes    *routes.Table
	Directory message.Directory
	// Endpoints is the transport to the endpoints of Push and Sync routes.
	Endpoints http.RoundTripper
	// Lease is how long a receiver has to settle; 0 means 60 s.
	Lease time.Duration
	// Now is the clock; nil means time.Now.
	Now      func() time.Time
	Log      *slog.Logger
	Registry prometheus.Registerer
}

// Gateway implements message.Bulk.
type Gateway struct {
	config    Config
	ledger    *ledger.Ledger
	routes    *routes.Table
	now       func() time.Time
	log       *slog.Logger
	client    *http.Client
	publisher *dispatch.Publisher
	consumers *dispatch.Consumers
	metrics   *metrics

	// started are the lowest numbers of submissions on their way into the ledger and to the publisher.
	startedMu sync.Mutex
	started   map[*submission]struct{}
	doubts    doubts

	lanesMu sync.Mutex
	lanes   map[string]*lane

	replays  chan replay
	draining atomic.Bool
	// background is the life of all goroutines.
	background context.Context
	stop       context.CancelFunc
	workers    sync.WaitGroup
	status     statusCache
}

var _ message.Bulk = (*Gateway)(nil)

// New makes a gateway; Run starts it.
func New(config Config) *Gateway {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Lease == 0 {
		config.Lease = time.Minute
	}
	g := &Gateway{
		config: config, ledger: config.Ledger, routes: config.Routes, now: config.Now, log: config.Log,
		started: map[*submission]struct{}{}, lanes: map[string]*lane{}, replays: make(chan replay, 1024),
		client: &http.Client{
			Transport:     config.Endpoints,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	g.background, g.stop = context.WithCancel(context.Background())
	queues := dispatch.NewQueues()
	g.publisher = dispatch.NewPublisher(config.Broker, queues, config.Log, func(lane string, onTheirWay []message.Seq) {
		g.replayLane(lane, onTheirWay)
	})
	g.consumers = dispatch.NewConsumers(config.Broker, queues, config.Log)
	g.metrics = newMetrics(g, config.Registry)
	return g
}

// Run works until ctx ends, then returns when everything has stopped. Requests must have ended before: see Drain.
func (g *Gateway) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, g.stop)()
	ctx = g.background
	g.workers.Go(func() { g.publisher.Run(ctx) })
	g.workers.Go(func() { g.consumers.Run(ctx) })
	g.workers.Go(func() { g.beat(ctx) })
	g.workers.Go(func() { g.replayLoop(ctx) })
	g.workers.Go(func() { g.keep(ctx) })
	g.workers.Go(func() { g.pushLoop(ctx) })
	g.workers.Go(func() { g.expireLanes(ctx) })
	<-ctx.Done()
	g.workers.Wait()
}

// awayFor is how long the database may be away before this replica says that it is not ready. A failover takes less, and
// all replicas share the database: if all of them left at once, clients would get no answer rather than "try again".
const awayFor = time.Minute

// Ready is nil when requests may come.
func (g *Gateway) Ready() error {
	if g.ledger.Away() > awayFor {
		return message.ErrUnavailable
	}
	return nil
}

// StopReceiving ends long polls and begins no further deliveries; submissions go on.
func (g *Gateway) StopReceiving() {
	g.draining.Store(true)
	g.wakeAll()
}

// Drain waits for references that are on their way to the broker, at most until ctx ends. Requests must have ended.
func (g *Gateway) Drain(ctx context.Context) {
	g.StopReceiving()
	for g.publisher.Pending() > 0 && g.publisher.Connected() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := g.ledger.Beat(context.WithoutCancel(ctx), g.published()); err != nil {
		g.log.Warn("last beat", "error", err)
	}
}

// Routes is the table of routes, for the fronts.
func (g *Gateway) Routes() *routes.Table { return g.routes }

// retention is how long messages are kept.
func (g *Gateway) retention() time.Duration {
	if c := g.routes.Config(); c != nil {
		return c.Retention.DeleteAfter.Duration
	}
	return 720 * time.Hour
}
