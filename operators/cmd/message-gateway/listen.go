// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
	"spine.nhs.uk/controlplane/operators/workloads/kit/tlsfiles"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/core"
)

// listen serves a handler by TLS; what ends it goes to failed.
func (s *server) listen(address string, handler http.Handler, config *tls.Config, failed chan<- error) *http.Server {
	server := &http.Server{
		Addr: address, Handler: handler, TLSConfig: config, ConnContext: tlsfiles.ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
		// A client may take its time over 5 MB, and a long poll a minute; neither may take for ever.
		ReadTimeout: 2 * time.Minute, WriteTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		// Handshakes that fail are the client's affair and may come in any number.
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("listening on %s: %w", address, err)
		}
	}()
	return server
}

// settleDown is how long the fronts go on after readyz has begun to fail: until the Services have noticed.
const settleDown = 3 * time.Second

// drain finishes what is in flight.
func (s *server) drain(g *core.Gateway, fronts ...*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.options.drainTimeout)
	defer cancel()
	s.log.Info("draining")
	s.ops.Drain()
	select {
	case <-ctx.Done():
	case <-time.After(settleDown):
	}
	g.StopReceiving()
	var stopped sync.WaitGroup
	errs := make([]error, len(fronts))
	for i, front := range fronts {
		stopped.Go(func() { errs[i] = front.Shutdown(ctx) })
	}
	stopped.Wait()
	g.Drain(ctx)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("requests were still in flight after %s: %w", s.options.drainTimeout, err)
	}
	s.log.Info("drained")
	return nil
}

var errStarting = errors.New("waiting for the database")

// operation is what the ops server answers with, before and after the gateway is there.
func (s *server) operation() ops.Config {
	return ops.Config{
		Metrics: s.metrics,
		Ready: func() error {
			if g := s.gateway.Load(); g != nil {
				return g.Ready()
			}
			return errStarting
		},
		Deep: func(ctx context.Context) ops.Deep {
			if g := s.gateway.Load(); g != nil {
				return g.Deep(ctx)
			}
			var d ops.Deep
			d.Run("ledger", func() error { return errStarting })
			return d
		},
		Status: func(ctx context.Context) (any, error) {
			if g := s.gateway.Load(); g != nil {
				return s.status(ctx, g)
			}
			return nil, errStarting
		},
		More: map[string]http.Handler{
			"POST /permit":              s.permit,
			"GET /dead-letters":         http.HandlerFunc(s.listDead),
			"POST /dead-letters/replay": http.HandlerFunc(s.replayDead),
		},
	}
}

// status is the gateway's, with how far the other site is behind where there is one.
func (s *server) status(ctx context.Context, g *core.Gateway) (any, error) {
	status, err := g.Status(ctx)
	if err != nil {
		return nil, err
	}
	var behind *replication.Status
	if watch := s.replication.Load(); watch != nil {
		// Without an answer the rest is still of use.
		behind, _ = watch.Look(ctx)
	}
	return struct {
		core.Status
		Replication *replication.Status `json:"replication,omitempty"`
	}{status, behind}, nil
}
