// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/tlsfiles"
)

// providers asks providers' systems; a slow one holds up nobody else.
type providers struct {
	client *provider.Client
	most   func() int // bookings open with one provider at once

	mu   sync.Mutex
	busy map[string]int // by endpoint
}

// providerTransport trusts the authorities in caFile, or the operating
// system's when it is empty.
func providerTransport(caFile string) (*http.Transport, error) {
	t := &http.Transport{MaxIdleConns: 512, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true}
	if caFile != "" {
		authority, err := tlsfiles.OpenPool(caFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = tlsfiles.ClientOf(authority)
	}
	return t, nil
}

// Book implements flow.Provider.
func (p *providers) Book(ctx context.Context, a *store.Attempt) error {
	if !p.enter(a.Service.Provider) {
		return flow.ErrRefused // nobody was asked
	}
	defer p.leave(a.Service.Provider)
	err := p.client.Book(ctx, providerService(a.Service.ID, a.Service.Provider),
		provider.Booking{Request: a.Request, Slot: a.Slot.Reference, Start: a.Slot.Start, UBRN: string(a.UBRN)})
	var taken *provider.SlotTakenError
	var refused *provider.RefusedError
	var busy *provider.BusyError
	switch {
	case errors.As(err, &taken):
		return errors.Join(flow.ErrTaken, err)
	case errors.As(err, &refused), errors.As(err, &busy):
		return errors.Join(flow.ErrRefused, err)
	}
	return err
}

// Release implements flow.Provider and outbox.Releaser.
func (p *providers) Release(ctx context.Context, r store.Release) error {
	return p.client.Cancel(ctx, providerService(r.Service, r.Endpoint), r.Request)
}

func providerService(id int64, endpoint string) provider.Service {
	return provider.Service{ID: strconv.FormatInt(id, 10), Endpoint: endpoint}
}

func (p *providers) enter(endpoint string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[endpoint] >= p.most() {
		return false
	}
	p.busy[endpoint]++
	return true
}

func (p *providers) leave(endpoint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[endpoint]--; p.busy[endpoint] == 0 {
		delete(p.busy, endpoint)
	}
}

func newProviders(transport http.RoundTripper, most func() int) (*providers, error) {
	client, err := provider.NewClient(transport, provider.AnswerLimit)
	if err != nil {
		return nil, err
	}
	return &providers{client: client, most: most, busy: map[string]int{}}, nil
}
