// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

func attempt(endpoint string) *store.Attempt {
	return &store.Attempt{Appointment: 1, Request: "6f0c9f0e-3f5b-4b60-9d53-6b2b2d1b1a10", UBRN: "000000070000",
		Service: domain.Service{ID: 11000, Provider: endpoint}, Slot: domain.Slot{Reference: "S1", Start: time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)}}
}

func TestWhatAProviderAnswersDecidesWhatIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error // nil with certain: booked; nil without: nobody knows
		sure   bool
	}{
		"booked":  {http.StatusCreated, `{"serviceId":"11000","slotId":"S1","start":"2026-03-05T09:00:00Z"}`, nil, true},
		"taken":   {http.StatusConflict, ``, flow.ErrTaken, true},
		"refused": {http.StatusBadRequest, ``, flow.ErrRefused, true},
		"busy":    {http.StatusTooManyRequests, ``, flow.ErrRefused, true},
		"broken":  {http.StatusInternalServerError, ``, nil, false},
		"lying":   {http.StatusOK, `{"serviceId":"11000","slotId":"S2","start":"2026-03-05T09:00:00Z"}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			p, err := newProviders(server.Client().Transport, func() int { return 1 })
			if err != nil {
				t.Fatal(err)
			}
			err = p.Book(t.Context(), attempt(server.URL))
			switch sure := err == nil || errors.Is(err, flow.ErrTaken) || errors.Is(err, flow.ErrRefused); {
			case sure != c.sure, c.want != nil && !errors.Is(err, c.want), c.sure && c.want == nil && err != nil:
				t.Errorf("%v", err)
			}
			if len(p.busy) != 0 {
				t.Error("still counted as asked")
			}
		})
	}
}

func TestASilentProviderHoldsUpNoMoreThanItsShare(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices that its caller has left only once the body is read
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	p, err := newProviders(server.Client().Transport, func() int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- p.Book(ctx, attempt(server.URL)) }()
	<-asked
	if err := p.Book(t.Context(), attempt(server.URL)); !errors.Is(err, flow.ErrRefused) {
		t.Errorf("the second one: %v", err)
	}
	cancel()
	if err := <-first; err == nil || errors.Is(err, flow.ErrRefused) {
		t.Errorf("the first one: %v", err)
	}
}
