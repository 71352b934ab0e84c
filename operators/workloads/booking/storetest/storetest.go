// SPDX-License-Identifier: Apache-2.0

//go:build engines

// Package storetest opens a store on a real PostgreSQL for tests.
package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Clock is a clock that tests step.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Step moves the clock forward.
func (c *Clock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Open opens a store on a PostgreSQL of its own, with 40 seeded services
// (11000 to 11039; 11019 and 11039 are for triage) of 28 slots each. Providers
// are asked at endpoint; empty: nobody is asked.
func Open(t testing.TB, endpoint string) (*store.Store, *Clock, *engines.Server) {
	t.Helper()
	server := engines.PostgresServer(t)
	clock := &Clock{now: time.Now()}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := store.Open(ctx, store.Options{Source: database.URL(server.URL), Connections: 16, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Put(ctx, store.Seed{Services: 40, Slots: 28, Endpoint: endpoint}); err != nil {
		t.Fatal(err)
	}
	return s, clock, server
}
