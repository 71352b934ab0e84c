// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/kit/permit"
	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
	"spine.nhs.uk/controlplane/operators/workloads/kit/tlsfiles"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/core"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/dispatch"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mailboxes"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// server is the parts of a running gateway, in the order in which they are made.
type server struct {
	options options
	log     *slog.Logger
	tls     *tlsfiles.Files
	clients *tlsfiles.Pool
	config  *api.GatewayConfig
	routes  *routes.Table
	boxes   *mailboxes.Store
	metrics *prometheus.Registry
	seconds *prometheus.HistogramVec

	permit *permit.Gate

	ops *ops.Server
	// gateway is nil until the ledger is there: until then the process lives and is not ready.
	gateway atomic.Pointer[core.Gateway]
	// replication is nil for a site alone.
	replication atomic.Pointer[replication.Watch]
}

func serve(ctx context.Context, o options) error {
	s := &server{options: o, log: slog.New(slog.NewJSONHandler(os.Stderr, nil)), metrics: prometheus.NewRegistry(), permit: permit.New(o.requirePermit, time.Now)}
	if err := s.load(); err != nil {
		return err
	}
	s.observe()
	// The ops listener lives longest: it tells the kubelet about start and drain.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s.ops = ops.New(s.operation())
	failed := make(chan error, 3)
	operation := s.listen(o.opsAddress, s.ops, s.tls.Server(tls.VerifyClientCertIfGiven, s.tls.Pool()), failed)
	defer operation.Close() //nolint:errcheck // at the end of the process

	ledger, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer ledger.Close()
	if o.peer != "" {
		watch, err := replication.New(life, database.Dir(o.databaseDir), o.peer)
		if err != nil {
			return err
		}
		defer watch.Close()
		s.replication.Store(watch)
	}
	gateway := core.New(core.Config{
		Ledger: ledger, Broker: dispatch.Dir(o.brokerDir), Routes: s.routes, Directory: s.boxes, Endpoints: s.endpoints(),
		Log: s.log, Registry: s.metrics,
	})
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	running.Go(func() { gateway.Run(life) })
	running.Go(func() { s.reload(life) })
	running.Go(func() {
		s.boxes.Watch(life, func(err error) {
			s.log.Error("changed mailboxes are not valid; the last good ones stay in use", "error", err)
		})
	})
	s.gateway.Store(gateway)
	front := s.tls.Server(tls.RequestClientCert, s.clients)
	meshServer := s.listen(o.meshAddress, s.permit.Front(tlsfiles.Verify(s.clients, s.mesh(gateway), refuseMesh)), front, failed)
	bulkServer := s.listen(o.bulkAddress, s.permit.Front(tlsfiles.Verify(s.clients, s.bulk(gateway), refuseBulk)), front, failed)
	s.log.Info("serving", "mesh", o.meshAddress, "bulk", o.bulkAddress, "ops", o.opsAddress)

	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return errors.Join(err, s.drain(gateway, meshServer, bulkServer))
}

// load reads every file once; what is wrong is reported together.
func (s *server) load() error {
	var errs [4]error
	s.tls, errs[0] = tlsfiles.Open(s.options.tlsDir)
	s.clients, errs[1] = tlsfiles.OpenPool(s.options.clientsCA)
	s.config, errs[2] = readConfig(s.options.config)
	s.boxes, errs[3] = mailboxes.Open(s.options.mailboxes)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	s.routes = routes.New(time.Now)
	s.routes.Set(s.config)
	return nil
}

func readConfig(path string) (*api.GatewayConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return api.DecodeGatewayConfig(text)
}

// open waits for the database as long as it takes.
func (s *server) open(ctx context.Context) (*ledger.Ledger, error) {
	for {
		l, err := ledger.Open(ctx, ledger.Config{
			Database: database.Dir(s.options.databaseDir), InFlightBytes: s.config.Limits.InFlightBytes,
		})
		if err == nil {
			return l, nil
		}
		s.log.Warn("waiting for the database", "error", err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stopped while waiting for the database: %w", err)
		case <-time.After(time.Second):
		}
	}
}

// endpoints is the transport to endpoints: with the certificate beside the clients' authority if there is one, and
// trusting both authorities.
func (s *server) endpoints() http.RoundTripper {
	own := s.tls
	if files, err := tlsfiles.Open(filepath.Dir(s.options.clientsCA)); err == nil {
		own = files
	}
	return &http.Transport{
		TLSClientConfig: own.Client(s.tls.Pool(), s.clients), MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}
}

func (s *server) observe() {
	s.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "spine_gateway_request_seconds", Help: "Time of requests by front, operation and class of status.",
		Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
	}, []string{"front", "operation", "class"})
	s.metrics.MustRegister(s.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

func (s *server) observer(front string) func(string, int, time.Duration) {
	return func(operation string, status int, took time.Duration) {
		s.seconds.WithLabelValues(front, operation, fmt.Sprintf("%dxx", status/100)).Observe(took.Seconds())
	}
}

func (s *server) mesh(g *core.Gateway) http.Handler {
	return mesh.New(g, mesh.Config{
		Mailboxes: s.boxes, Log: s.log, MaxRequestBytes: s.config.Limits.MaxRequestBytes,
		BodyBudgetBytes: 2 * s.config.Limits.InFlightBytes, CollectWithin: s.config.Retention.UndeliveredAfter.Duration,
		Observe: s.observer("mesh"),
	})
}

func (s *server) bulk(g *core.Gateway) http.Handler {
	return bulk.New(g, bulk.Config{
		Directory: s.boxes, MaxRequestBytes: s.config.Limits.MaxRequestBytes, BudgetBytes: 2 * s.config.Limits.InFlightBytes,
		Observe: s.observer("bulk"),
	})
}
