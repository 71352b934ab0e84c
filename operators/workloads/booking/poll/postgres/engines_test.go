// SPDX-License-Identifier: Apache-2.0

//go:build engines

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
	"spine.nhs.uk/controlplane/operators/workloads/booking/storetest"
)

const (
	evening = "2026-03-24"
	service = int64(11_000) // the first of the seeded services
	polled  = 38            // seeded services that a provider keeps; two more are for triage here
)

var (
	start  = time.Date(2026, 3, 24, 18, 0, 0, 0, time.UTC)
	period = provider.Period{From: start, To: start.AddDate(0, 0, 180)}
)

// open opens a database whose services are at endpoint and have no slots yet.
func open(t *testing.T, endpoint string) *pgxpool.Pool {
	t.Helper()
	s, _, _ := storetest.Open(t, endpoint)
	execute(t, s.Pool(), `DELETE FROM booking.slots`)
	return s.Pool()
}

func execute(t *testing.T, pool *pgxpool.Pool, statement string, arguments ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement, arguments...); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, pool *pgxpool.Pool) poll.Hold {
	t.Helper()
	h, err := New(pool).Begin(t.Context(), evening)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Release)
	return h
}

// offer is an answer with slots at these hours of the next day.
func offer(hours ...int) []provider.Slot {
	var slots []provider.Slot
	for _, hour := range hours {
		at := start.Add(time.Duration(24+hour) * time.Hour)
		slots = append(slots, provider.Slot{ID: fmt.Sprintf("s%d", hour), Start: at, End: at.Add(20 * time.Minute)})
	}
	return slots
}

func apply(t *testing.T, h poll.Hold, service int64, slots []provider.Slot) {
	t.Helper()
	err := h.Apply(t.Context(), period, []poll.Result{{Service: service, Outcome: poll.Updated, Slots: slots, Attempts: 1, At: start}})
	if err != nil {
		t.Fatal(err)
	}
}

// states are the slots of the service as "reference state".
func states(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var all string
	err := pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(reference || ' ' || state, ', ' ORDER BY starts), '') FROM booking.slots WHERE service_id = $1`, service).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPictureIsTakenOverExceptWhereItIsBooked(t *testing.T) {
	pool := open(t, "https://provider.example")
	h := begin(t, pool)
	for _, step := range []struct {
		what   string
		change string
		offer  []provider.Slot
		want   string
	}{
		{"new slots are free", "", offer(1, 2, 3), "s1 FREE, s2 FREE, s3 FREE"},
		{"what is missing is withdrawn", "", offer(1, 3), "s1 FREE, s2 WITHDRAWN, s3 FREE"},
		{"what comes back is free", "", offer(1, 2, 3), "s1 FREE, s2 FREE, s3 FREE"},
		{"a booked one stays when it is missing", `UPDATE booking.slots SET state = 'TAKEN' WHERE reference = 's2'`, offer(1, 3), "s1 FREE, s2 TAKEN, s3 FREE"},
		{"a booked one stays booked when it is offered", "", offer(1, 2, 3), "s1 FREE, s2 TAKEN, s3 FREE"},
		{"one outside the period stays", `UPDATE booking.slots SET starts = starts - interval '2 days', ends = ends - interval '2 days' WHERE reference = 's1'`, offer(3), "s1 FREE, s2 TAKEN, s3 FREE"},
		{"an empty offer withdraws what is free", "", []provider.Slot{}, "s1 FREE, s2 TAKEN, s3 WITHDRAWN"},
		{"other services are not touched", `UPDATE booking.slots SET service_id = service_id + 1 WHERE reference = 's1'`, offer(3), "s2 TAKEN, s3 FREE"},
	} {
		if step.change != "" {
			execute(t, pool, step.change)
		}
		apply(t, h, service, step.offer)
		if got := states(t, pool); got != step.want {
			t.Fatalf("%s: %s, want %s", step.what, got, step.want)
		}
	}
}

// Most slots are the same every evening: they must cost no write.
func TestWhatIsUnchangedIsNotWritten(t *testing.T) {
	pool := open(t, "https://provider.example")
	h := begin(t, pool)
	apply(t, h, service, offer(1, 2, 3))
	version := func() (all string) {
		if err := pool.QueryRow(t.Context(), `SELECT string_agg(xmin::text || ' ' || starts::text, ', ' ORDER BY reference) FROM booking.slots WHERE service_id = $1`, service).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := version()
	apply(t, h, service, offer(1, 2, 3))
	if version() != before {
		t.Error("unchanged slots were written")
	}
	moved := offer(1, 2, 3)
	moved[0].Start = moved[0].Start.Add(time.Minute)
	apply(t, h, service, moved)
	if version() == before {
		t.Error("a moved slot was not written")
	}
}

func TestSlotsThatCannotBeAreRefusedForGood(t *testing.T) {
	h := begin(t, open(t, "https://provider.example"))
	wrong := offer(1)
	wrong[0].End = wrong[0].Start
	err := h.Apply(t.Context(), period, []poll.Result{{Service: service, Outcome: poll.Updated, Slots: wrong, Attempts: 1, At: start}})
	var rejected *poll.RejectedError
	if !errors.As(err, &rejected) {
		t.Errorf("got %v", err)
	}
}

// The connection that holds the lock is killed: the former holder notices, and cannot write even before it does.
func TestAFormerHolderCannotWrite(t *testing.T) {
	pool := open(t, "https://provider.example")
	first := begin(t, pool)
	if _, err := New(pool).Begin(t.Context(), evening); !errors.Is(err, poll.ErrElsewhere) {
		t.Fatalf("a second hold: %v", err)
	}
	apply(t, first, service, offer(1))
	if status, err := New(pool).Status(t.Context()); err != nil || !status.Running || status.Asked != 1 || status.Reached != 1 || status.LastEvening != evening {
		t.Errorf("status %+v, %v", status, err)
	}
	execute(t, pool, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`)
	var second poll.Hold
	for deadline := time.Now().Add(10 * time.Second); second == nil; {
		h, err := New(pool).Begin(t.Context(), evening)
		if err == nil {
			second = h
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	release := sync.OnceFunc(second.Release)
	t.Cleanup(release)
	err := first.Apply(t.Context(), period, []poll.Result{{Service: service, Outcome: poll.Updated, Slots: offer(2), Attempts: 1, At: start}})
	if !errors.Is(err, poll.ErrFenced) || states(t, pool) != "s1 FREE" {
		t.Errorf("the former holder wrote: %v, %s", err, states(t, pool))
	}
	select {
	case <-first.Lost():
	case <-time.After(2*heartbeat + time.Second):
		t.Error("the former holder did not notice")
	}
	pending, err := second.Pending(t.Context(), 1000)
	if err != nil || len(pending) != polled-1 {
		t.Errorf("%d pending, %v; want all but one", len(pending), err)
	}
	if err := second.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := New(pool).Begin(t.Context(), evening); !errors.Is(err, poll.ErrDone) {
		t.Errorf("a finished evening: %v", err)
	}
	if status, err := New(pool).Status(t.Context()); err != nil || status.Running || status.Services != polled {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestPendingKeepsToTheLimitAndLeavesClosedServicesOut(t *testing.T) {
	pool := open(t, "https://provider.example")
	execute(t, pool, `UPDATE booking.services SET active = false WHERE id = $1`, service)
	execute(t, pool, `UPDATE booking.services SET endpoint = '' WHERE id = $1`, service+1)
	h := begin(t, pool)
	for limit, want := range map[int]int{1000: polled - 2, 10: 10} {
		pending, err := h.Pending(t.Context(), limit)
		if err != nil || len(pending) != want {
			t.Errorf("limit %d: %d pending, %v", limit, len(pending), err)
		}
	}
	apply(t, h, service+2, offer(1))
	if pending, err := h.Pending(t.Context(), 10); err != nil || len(pending) != 9 {
		t.Errorf("%d pending after one outcome of at most 10, %v", len(pending), err)
	}
}

// A whole evening over HTTPS: 3,000 services, 20 slots each, the polling replica stopped half way and another going on.
func TestAnEveningOf3000Services(t *testing.T) {
	var asked atomic.Int64
	half := make(chan struct{})
	system := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1500 {
			close(half)
		}
		from, _ := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
		var slots []string
		for i := range 20 {
			at := from.Add(time.Duration(i+1) * time.Hour)
			slots = append(slots, fmt.Sprintf(`{"id":"s%d","start":%q,"end":%q}`, i, at.Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339)))
		}
		_, _ = fmt.Fprintf(w, `{"serviceId":%q,"slots":[%s]}`, strings.Split(r.URL.Path, "/")[3], strings.Join(slots, ","))
	}))
	defer system.Close()
	pool := open(t, system.URL)
	execute(t, pool, `INSERT INTO booking.services (id, name, organisation, specialty, bookable, priorities, endpoint)
		SELECT 100000 + n, 'Clinic ' || n, 'RR8', 'CARDIOLOGY', 'DIRECTLY_BOOKABLE', '{ROUTINE}', $1 FROM generate_series(1, $2::int) n`, system.URL, 3000-polled)
	client, err := provider.NewClient(system.Client().Transport, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	opens := time.Now().UTC().Add(-time.Minute)
	store := New(pool)
	replica := func(ctx context.Context) *poll.Poller {
		poller, err := poll.New(poll.Config{Store: store, Source: client, Pressed: func() bool { return false }, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
			Settings: func() poll.Settings {
				return poll.Settings{On: true, Hour: opens.Hour(), Minute: opens.Minute(), Zone: time.UTC, Window: time.Hour, Limit: 50_000, Concurrency: 32,
					PerSystem: 16, PerSecond: 500, DaysAhead: 180}
			}})
		if err != nil {
			t.Fatal(err)
		}
		go poller.Run(ctx)
		return poller
	}
	first, stop := context.WithCancel(t.Context())
	replica(first)
	<-half
	stop()
	begun := time.Now()
	second := replica(t.Context())
	for status := (poll.Status{}); status.Reached < 3000 || status.Running; {
		if status, err = second.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute: %+v", status)
		}
		time.Sleep(50 * time.Millisecond)
	}
	var free int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM booking.slots WHERE state = 'FREE'`).Scan(&free); err != nil {
		t.Fatal(err)
	}
	if free != 3000*20 || asked.Load() > 3000+200 {
		t.Errorf("%d slots, %d requests", free, asked.Load())
	}
	t.Logf("the second half took %s; %d requests", time.Since(begun).Round(time.Millisecond), asked.Load())
}
