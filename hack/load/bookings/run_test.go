// SPDX-License-Identifier: Apache-2.0

//go:build engines

package bookings

import (
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
	"spine.nhs.uk/controlplane/operators/workloads/booking/pages"
	"spine.nhs.uk/controlplane/operators/workloads/booking/storetest"
)

// Users go through the service's real pages on a real database, and get in each other's way.
func TestRun(t *testing.T) {
	store, _, server := storetest.Open(t, "")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	desk := flow.NewDesk(store, nil, func() flow.Rules { return flow.Rules{Answer: time.Minute} }, time.Now, log)
	handler, err := pages.New(desk, pages.Config{
		Settings: func() pages.Settings {
			return pages.Settings{Title: "e-Referral Service", Zone: time.UTC, Idle: time.Hour, Longest: time.Hour, Attempts: 5, Lock: time.Minute}
		},
		Tokens: func(raw string) (domain.Caller, time.Time, error) {
			if raw != "staff" {
				return domain.Caller{}, time.Time{}, errors.New("not a token")
			}
			return domain.Caller{Application: "load", User: "555555555555", Organisation: "A80001", Role: domain.ReferringClinician}, time.Now().Add(time.Hour), nil
		},
		Now: time.Now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewTLSServer(handler)
	t.Cleanup(site.Close)
	dir := t.TempDir()
	w, err := record.Create(dir, "user")
	if err != nil {
		t.Fatal(err)
	}
	meter := stats.NewMeter("pages", 200)
	o := Options{
		URL: site.URL, Client: site.Client(), Tokens: []string{"staff"}, Users: 40, Record: w, Pages: meter,
		Schedule: arrival.New(arrival.Even, 200, time.Now(), 5*time.Second, 1),
		Services: 1, Slots: 2, Cancel: 0.2, Rebook: 0.7, RetryFor: 10 * time.Second, Seed: 1,
	}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	report := meter.Report()
	if report.Acknowledged != 1000 || report.Refused != 0 {
		t.Errorf("report %+v", report)
	}
	booked, taken := check.Booked(server.URL)
	r, err := check.Run(t.Context(), check.Options{Bookings: dir, Booked: booked, Taken: taken})
	if err != nil {
		t.Fatal(err)
	}
	if r.Bad() || r.Counts.Bookings < 20 || r.Counts.Cancelled == 0 || r.Counts.BookingsRefused == 0 {
		t.Errorf("%+v, %v", r.Counts, r.Findings)
	}
}
