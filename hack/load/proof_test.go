// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/cli"
	"spine.nhs.uk/controlplane/hack/load/loopback"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// The checker proves itself: under the same load and the same faults, the services as they are keep every promise, and
// with their durability weakened the checker says so.

func start(t *testing.T, o loopback.Options) *loopback.Site {
	t.Helper()
	dir, err := os.MkdirTemp("", "load-proof-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o.Dir, o.Root = dir, "../.."
	// Starting takes a build; the test's own limit bounds it.
	site, err := loopback.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	return site
}

// load runs a command in the background and returns its report when asked for it.
func load(t *testing.T, args ...string) (report func() stats.Report) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(t.Context(), append(args, "-o", "json", "--progress", "0s"), &stdout, &stderr)
	}()
	return func() stats.Report {
		t.Helper()
		if code := <-ended; code != 0 {
			t.Fatalf("load %s exits with %d: %s", args[0], code, stderr.String())
		}
		var r stats.Report
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func judge(t *testing.T, o check.Options) *check.Result {
	t.Helper()
	r, err := check.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	return r
}

// after waits for a moment of a run; the faults have to hit the middle of it.
func after(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func TestMessages(t *testing.T) {
	for name, weakened := range map[string]bool{"as it is": false, "acknowledged before the commit": true} {
		t.Run(name, func(t *testing.T) {
			o := loopback.Options{Messages: true}
			if weakened {
				o.Tags, o.Environment = []string{"weakened"}, []string{"SPINE_WEAKEN=ack-before-commit"}
			}
			site := start(t, o)
			dir := filepath.Join(t.TempDir(), "record")
			report := load(t, "messages", "--url", site.BulkURL, "--clients", site.Clients, "--record", dir,
				"--rate", "500", "--duration", "10s", "--timeout", "2s", "--drain", "30s")
			after(t.Context(), 3*time.Second)
			// The database is killed as by a power cut, the gateway soon after it, and both start again on what they left.
			site.Postgres.Kill()
			after(t.Context(), 300*time.Millisecond)
			if err := site.Gateway.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := site.Postgres.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := site.Gateway.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sent := report(); sent.Acknowledged < 4500 {
				t.Errorf("only %d messages were acknowledged: %+v", sent.Acknowledged, sent)
			}
			url, err := site.DatabaseURL("messaging")
			if err != nil {
				t.Fatal(err)
			}
			r := judge(t, check.Options{Messages: dir, Ledger: check.Ledger(url)})
			if lost := r.Of(check.Lost); (lost > 0) != weakened || !weakened && r.Bad() {
				t.Errorf("weakened %t, %d lost, found %v", weakened, lost, r.Findings)
			}
		})
	}
}

func TestBookings(t *testing.T) {
	for name, weakened := range map[string]bool{"as it is": false, "without the constraint": true} {
		t.Run(name, func(t *testing.T) {
			o := loopback.Options{Bookings: true}
			if weakened {
				o.Tags, o.Environment = []string{"weakened"}, []string{"SPINE_WEAKEN=no-slot-constraint"}
			}
			site := start(t, o)
			dir := filepath.Join(t.TempDir(), "record")
			// One service and one slot on offer: everybody wants the same.
			report := load(t, "bookings", "--url", site.BookingURL, "--clients", site.Clients, "--record", dir,
				"--rate", "150", "--duration", "20s", "--users", "60", "--services", "1", "--slots", "1", "--timeout", "5s")
			after(t.Context(), 8*time.Second)
			if err := site.Booking.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := site.Booking.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if pages := report(); pages.Acknowledged < 1000 {
				t.Errorf("only %d pages were answered: %+v", pages.Acknowledged, pages)
			}
			url, err := site.DatabaseURL("booking")
			if err != nil {
				t.Fatal(err)
			}
			booked, taken := check.Booked(url)
			r := judge(t, check.Options{Bookings: dir, Booked: booked, Taken: taken})
			if r.Counts.Bookings < 20 {
				t.Errorf("only %d bookings", r.Counts.Bookings)
			}
			if doubles := r.Of(check.DoubleBooked); (doubles > 0) != weakened || !weakened && r.Bad() {
				t.Errorf("weakened %t, %d double-booked, found %v", weakened, doubles, r.Findings)
			}
		})
	}
}
