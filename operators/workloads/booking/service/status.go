// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
	"spine.nhs.uk/controlplane/operators/workloads/kit/replication"
)

// errStarting is the readiness until the database is reached and migrated.
var errStarting = errors.New("starting: waiting for the database")

// status is the body of /statusz.
type status struct {
	Bookings            int64       `json:"bookings"`
	Referrals           int64       `json:"referrals"`
	OutboxPending       int64       `json:"outboxPending"`
	OutboxOldestSeconds float64     `json:"outboxOldestSeconds"`
	ASIOpen             int64       `json:"asiOpen"`
	Poll                poll.Status `json:"poll"`
	// Intake and InFlight are of this replica alone: whom it lets in, and the requests that are in.
	Intake   v1alpha1.Intake `json:"intake"`
	InFlight int64           `json:"inFlight"`
	// Replication to the other site; left out where there is none, or it is not known.
	Replication *replication.Status `json:"replication,omitempty"`
	// Standbys that receive what the database writes; null when it does not say.
	Standbys []string `json:"standbys"`
}

// working is what exists once the database was reached.
type working struct {
	store *store.Store
	poll  *poll.Poller
	web   http.Handler
}

func (p *program) status(ctx context.Context) (any, error) {
	w := p.working.Load()
	if w == nil {
		return nil, errStarting
	}
	// Before the counts: what they hold once nobody is in is all that there will be.
	intake, inFlight := p.door.status()
	counts, err := w.store.Counts(ctx)
	if err != nil {
		return nil, err
	}
	polled, err := w.poll.Status(ctx)
	if err != nil {
		return nil, err
	}
	var behind *replication.Status
	if watch := p.replication.Load(); watch != nil {
		// Without an answer the rest is still of use.
		behind, _ = watch.Look(ctx)
	}
	return status{Intake: intake, InFlight: inFlight,
		Bookings: counts.Bookings, Referrals: counts.Referrals, OutboxPending: counts.OutboxPending,
		OutboxOldestSeconds: counts.OutboxOldestSeconds, ASIOpen: counts.OpenASI, Poll: polled, Replication: behind, Standbys: counts.Standbys}, nil
}

// ready: the database was reached once. It says nothing about now: while the
// database fails over, every replica would be unready at once and nobody would
// tell callers to wait.
func (p *program) ready() error {
	if p.working.Load() == nil {
		return errStarting
	}
	return nil
}

// deep goes the whole way of a booking: page, database, constraint, commit.
// The message gateway is not part of it: bookings go on without it, and what
// waits for it shows in the outbox.
func (p *program) deep(ctx context.Context) ops.Deep {
	var d ops.Deep
	w := p.working.Load()
	d.Run("database", func() error {
		if w == nil {
			return errStarting
		}
		return w.store.Ping(ctx)
	})
	d.Run("page", func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://probe/", http.NoBody)
		if err != nil {
			return err
		}
		answer := &unread{header: http.Header{}, status: http.StatusOK}
		w.web.ServeHTTP(answer, request)
		if answer.status != http.StatusOK {
			return fmt.Errorf("the first page answers %d", answer.status)
		}
		return nil
	})
	d.Run("book and cancel", func() error { return w.store.Probe(ctx) })
	return d
}

// unread is an answer of which only the status matters.
type unread struct {
	header http.Header
	status int
}

func (u *unread) Header() http.Header         { return u.header }
func (u *unread) WriteHeader(status int)      { u.status = status }
func (u *unread) Write(p []byte) (int, error) { return len(p), nil }
