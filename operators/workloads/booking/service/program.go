// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/kit/permit"
	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
	"spine.nhs.uk/controlplane/operators/workloads/kit/tlsfiles"
)

// Options are the command line of the service. All but RequirePermit and Peer are required.
type Options struct {
	Address       string // API and pages
	OpsAddress    string // livez, readyz, metrics, deepz, statusz, drain
	Config        string // booking.yaml
	DatabaseDir   string // username, password, host, port, dbname, ca.crt
	TLSDir        string // tls.crt, tls.key, ca.crt
	GatewayURL    string // the message gateway's bulk interface
	GatewayTLSDir string // client certificate for it, and the authority of its own
	DrainTimeout  time.Duration
	RequirePermit bool   // one of two sites, of which one serves
	Peer          string // name of the other site, whose database follows
}

// leaveAfter is how long new requests are still taken after POST /drain: the
// platform needs so long to send them elsewhere.
const leaveAfter = 5 * time.Second

// program is one running service.
type program struct {
	options     Options
	log         *slog.Logger
	settings    *settings
	tokens      *token.Verifier
	tls         *tlsfiles.Files
	gateway     *tlsfiles.Files
	transport   http.RoundTripper // to providers' systems
	asked       *providers
	metrics     *metrics
	door        *door
	replication atomic.Pointer[replication.Watch] // nil for a site alone
	working     atomic.Pointer[working]           // nil until the database was reached
}

// Run serves until ctx ends or a drain is asked for, and returns when what was
// in flight is finished, or after the drain timeout.
func Run(ctx context.Context, o Options, log *slog.Logger) error {
	p, err := prepare(o, log)
	if err != nil {
		return err
	}
	gate := permit.New(o.RequirePermit, time.Now)
	platform := ops.New(ops.Config{
		Ready: p.ready, Deep: p.deep, Status: p.status, Metrics: p.metrics.registry, More: map[string]http.Handler{"POST /permit": gate},
	})
	// The background stops after the last request, the platform's port last of all.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, 2)
	opsServer := p.server(o.OpsAddress, platform, p.tls.Server(tls.VerifyClientCertIfGiven, p.tls.Pool()))
	listen(opsServer, failed)
	defer opsServer.Close()

	var workers sync.WaitGroup
	defer func() {
		stop()
		workers.Wait()
		if w := p.working.Load(); w != nil {
			w.store.Close()
		}
	}()
	workers.Go(func() { p.settings.watch(background, log) })

	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := store.Open(opening, store.Options{
		Source: database.Dir(o.DatabaseDir), Connections: int(p.settings.get().Capacity.DatabaseConnections), Now: time.Now,
		Waiting: func(err error) { log.Warn("waiting for the database", "error", err) },
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it began
		}
		return err
	}
	if o.Peer != "" {
		watch, err := replication.New(background, database.Dir(o.DatabaseDir), o.Peer)
		if err != nil {
			return err
		}
		defer watch.Close()
		p.replication.Store(watch)
	}
	handler, err := p.assemble(background, s, &workers)
	if err != nil {
		s.Close()
		return err
	}
	web := p.server(o.Address, p.door.front(gate.Front(handler)), p.tls.Server(tls.NoClientCert, nil))
	listen(web, failed)
	log.Info("serving", "address", o.Address)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	case <-platform.Drained():
		log.Info("drain: leaving", "after", leaveAfter)
		select {
		case <-time.After(leaveAfter):
		case <-ctx.Done():
		}
	}
	platform.Drain()
	return p.finish(web)
}

// finish lets requests in flight end.
func (p *program) finish(web *http.Server) error {
	p.log.Info("drain: finishing requests in flight", "at most", p.options.DrainTimeout)
	ending, cancel := context.WithTimeout(context.Background(), p.options.DrainTimeout)
	defer cancel()
	if err := web.Shutdown(ending); err != nil {
		_ = web.Close()
		return fmt.Errorf("requests were still in flight after %s", p.options.DrainTimeout)
	}
	p.log.Info("drained")
	return nil
}

// prepare reads everything that is in files, so that mistakes show at once.
func prepare(o Options, log *slog.Logger) (*program, error) {
	p := &program{options: o, log: log, metrics: newMetrics()}
	var err error
	if p.settings, err = openSettings(o.Config); err != nil {
		return nil, err
	}
	p.door = &door{intake: func() v1alpha1.Intake { return p.settings.get().Intake }}
	config := p.settings.get()
	trust := token.Trust{KeysFile: config.Tokens.JWKSFile, Issuer: config.Tokens.Issuer, Audience: config.Tokens.Audience}
	if p.tokens, err = token.NewVerifier(trust, time.Now); err != nil {
		return nil, err
	}
	if p.tls, err = tlsfiles.Open(o.TLSDir); err != nil {
		return nil, fmt.Errorf("own certificate: %w", err)
	}
	if p.gateway, err = tlsfiles.Open(o.GatewayTLSDir); err != nil {
		return nil, fmt.Errorf("certificate for the message gateway: %w", err)
	}
	transport, err := providerTransport(config.ProviderCAFile)
	if err != nil {
		return nil, fmt.Errorf("providers' authority: %w", err)
	}
	p.transport = transport
	p.asked, err = newProviders(transport, func() int { return int(p.settings.get().Providers.Concurrency) })
	return p, err
}

func (p *program) server(address string, handler http.Handler, config *tls.Config) *http.Server {
	return &http.Server{
		Addr: address, Handler: handler, TLSConfig: config,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second,
		WriteTimeout:   170 * time.Second, // a provider may take two minutes to answer a booking
		MaxHeaderBytes: 32 << 10,
		// Handshakes that clients break off are no news, and their texts hold addresses.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

func listen(s *http.Server, failed chan<- error) {
	go func() {
		if err := s.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
}
