// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/fhir"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
	"spine.nhs.uk/controlplane/operators/workloads/booking/outbox"
	"spine.nhs.uk/controlplane/operators/workloads/booking/pages"
	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
	"spine.nhs.uk/controlplane/operators/workloads/booking/poll/postgres"
	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// assemble makes the handler of the main port and starts the background work.
func (p *program) assemble(background context.Context, s *store.Store, workers *sync.WaitGroup) (http.Handler, error) {
	desk := flow.NewDesk(s, p.asked, p.rules, time.Now, p.log)
	key, err := s.SessionKey(background)
	if err != nil {
		return nil, err
	}
	site, err := pages.New(desk, pages.Config{Settings: p.pageSettings, Key: key, Tokens: p.staff, Now: time.Now, Log: p.log})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/FHIR/", fhir.New(desk, fhir.Config{Verify: p.tokens.Verify, Limits: p.limits, Observe: p.metrics.observe, Now: time.Now, Log: p.log}))
	mux.Handle("/", p.metrics.page(site, int(p.settings.get().Capacity.InFlight)))
	p.metrics.pool(s.Pool())

	sender := &outbox.Gateway{URL: p.options.GatewayURL, Address: p.eventAddress, HTTP: &http.Client{Transport: &http.Transport{
		TLSClientConfig: p.gateway.Client(), ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second}}}
	box := &outbox.Outbox{Store: s, Sender: sender, Releaser: p.asked, Settings: p.outboxSettings, Log: p.log}
	workers.Go(func() { box.Run(background) })
	workers.Go(func() { p.tidy(background, desk, s) })
	poller, err := p.poller(s)
	if err != nil {
		return nil, err
	}
	workers.Go(func() { poller.Run(background) })
	p.working.Store(&working{store: s, web: site, poll: poller})
	return mux, nil
}

// poller is the evening poll of providers' slots.
func (p *program) poller(s *store.Store) (*poll.Poller, error) {
	source, err := provider.NewClient(p.transport, seconds(p.settings.get().Poll.RequestSeconds))
	if err != nil {
		return nil, err
	}
	return poll.New(poll.Config{Store: postgres.New(s.Pool()), Source: source, Settings: p.pollSettings, Clock: clock.RealClock{}, Log: p.log,
		// People come first: the poll waits while they use nearly all connections.
		Pressed: func() bool {
			use := s.Pool().Stat()
			return use.AcquiredConns() >= use.MaxConns()-1
		}})
}

// tidy ends what dead replicas left and forgets old keys.
func (p *program) tidy(ctx context.Context, desk *flow.Desk, s *store.Store) {
	recover, forget := time.NewTicker(10*time.Second), time.NewTicker(10*time.Minute)
	defer recover.Stop()
	defer forget.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-recover.C:
			_, err = desk.Recover(ctx)
		case <-forget.C:
			_, err = s.ForgetKeys(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("tidying did not get on; it comes again", "error", err)
		}
	}
}

// The following turn the configuration in force into what each part asks for.

func (p *program) rules() flow.Rules {
	c := p.settings.get()
	return flow.Rules{Answer: seconds(c.Providers.AnswerSeconds), Closed: c.Intake != v1alpha1.IntakeOpen}
}

func (p *program) limits() fhir.Limits {
	c := p.settings.get().Capacity
	return fhir.Limits{RequestsPerSecond: int(c.APIRequestsPerSecond), Burst: int(c.APIBurst), BodyBytes: int64(c.MaxBodyBytes), InFlight: int(c.InFlight)}
}

func (p *program) pageSettings() pages.Settings {
	current := p.settings.current.Load()
	s := current.config.Sessions
	return pages.Settings{Title: current.config.Title, Zone: current.zone, Idle: minutes(s.IdleMinutes), Longest: minutes(s.MaxMinutes),
		Attempts: int(s.SignInAttempts), Lock: minutes(s.LockMinutes)}
}

func (p *program) pollSettings() poll.Settings {
	current := p.settings.current.Load()
	c := current.config.Poll
	// One that is under way goes on, until its replica is stopped: what is left of it is still due then.
	on := c.Mode == v1alpha1.PollEvening && current.config.Intake != v1alpha1.IntakeStopped
	return poll.Settings{On: on, Hour: current.pollStart.Hour(), Minute: current.pollStart.Minute(), Zone: current.zone,
		Window: minutes(c.WindowMinutes), Limit: int(c.ServicesLimit), Concurrency: int(c.Concurrency), PerSystem: int(c.ProviderConcurrency),
		PerSecond: int(c.RequestsPerSecond), DaysAhead: int(c.DaysAhead)}
}

func (p *program) outboxSettings() outbox.Settings {
	c := p.settings.get().Outbox
	return outbox.Settings{Batch: int(c.Batch), Most: seconds(c.MaxRetrySeconds)}
}

func (p *program) eventAddress() outbox.Address {
	c := p.settings.get().Outbox
	return outbox.Address{To: c.To, Workflow: c.Workflow}
}

// staff is a staff member's sign-in to the pages: with the first role of the
// token.
func (p *program) staff(raw string) (domain.Caller, time.Time, error) {
	who, _, until, err := p.tokens.Verify(raw)
	return who, until, err
}
