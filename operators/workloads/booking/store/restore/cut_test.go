// SPDX-License-Identifier: Apache-2.0

//go:build engines

package restore

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// content is all that a database holds, but for the numbers and requests of what a displacement has drawn.
func content(t testing.TB, url string) (all map[string]string) {
	t.Helper()
	all = map[string]string{}
	for table, columns := range map[string]string{
		"services": "t", "slots": "t", "referrals": "t", "appointments": "t", "asi": "t", "idempotency": "t", "poll_runs": "t", "poll_progress": "t",
		"session_key": "t", "audit": "ROW(at, application, event, ubrn, version, appointment_id, CASE application WHEN 'restore' THEN 0 ELSE id END)",
		"outbox": "ROW(kind, body, created, attempts, due)",
	} {
		all[table] = one[string](t, url, `SELECT coalesce(string_agg(%[1]s::text, E'\n' ORDER BY %[1]s::text), '') FROM booking.%[2]s t`, columns, table)
	}
	return all
}

// carryUntil carries over in small commits.
func (w *twins) carryUntil(ctx context.Context, to string, point, now time.Time) (Carried, error) {
	p, err := openPair(w.t.Context(), database.URL(w.fromURL), database.URL(to), point)
	if err != nil {
		w.t.Fatal(err)
	}
	defer p.Close()
	p.block = 4
	c := &carry{pair: p, referrals: 2, rows: 3, now: func() time.Time { return now }}
	err = c.run(ctx)
	return c.done, err
}

// cut cancels a carry-over when it comes upon a row after the n-th that it writes into a table.
func (w *twins) cut(point, now time.Time, event, table string, n int) Carried {
	w.t.Helper()
	run(w.t, w.toURL(), `CREATE SEQUENCE public.written`, fmt.Sprintf(`CREATE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('public.written') > %d THEN PERFORM pg_sleep(600); END IF;
			IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
			RETURN NEW;
		END $$`, n),
		fmt.Sprintf(`CREATE TRIGGER hang BEFORE %s ON booking.%s FOR EACH ROW EXECUTE FUNCTION public.hang()`, event, table))
	type ending struct {
		Carried
		err error
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	ended := make(chan ending, 1)
	go func() {
		done, err := w.carryUntil(ctx, w.toURL(), point, now)
		ended <- ending{done, err}
	}()
	const hanging = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'copy'`
	for len(ask[int](w.t, w.fromURL, hanging)) == 0 {
		select {
		case e := <-ended:
			w.t.Fatalf("%s of %s: ended before it was cut off: %v", event, table, e.err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	e := <-ended
	if e.err == nil {
		w.t.Errorf("%s of %s: cut off, and no error", event, table)
	}
	run(w.t, w.fromURL, `SELECT pg_terminate_backend(pid) FROM (`+hanging+`) h`)
	run(w.t, w.toURL(), `DROP FUNCTION public.hang() CASCADE`, `DROP SEQUENCE public.written`)
	return e.Carried
}

func TestACarryOverThatIsCutOffIsTakenUpAgain(t *testing.T) {
	w := newTwins(t)
	var moving []domain.UBRN
	for i := range 6 {
		ubrn := w.refer(fmt.Sprint("moves", i))
		w.book(ubrn, 10+i)
		moving = append(moving, ubrn)
	}
	point, _, _ := w.collide()
	// Each has the slot that the one before it had at the point.
	for i, ubrn := range moving {
		w.cancel(ubrn)
		if i == 0 {
			w.book(ubrn, 20)
		} else {
			w.book(ubrn, 9+i)
		}
	}
	if err := w.Put(t.Context(), store.Seed{Services: 12, Slots: 29}); err != nil {
		t.Fatal(err)
	}
	run(t, w.fromURL, `INSERT INTO booking.poll_runs VALUES (current_date, gen_random_uuid(), now(), now(), 2)`,
		`INSERT INTO booking.poll_progress SELECT current_date, id, 'updated', 1, now() FROM booking.services WHERE id < 11002`)
	w.Close()
	run(t, w.at("template1"), `CREATE DATABASE once TEMPLATE copy`)
	now := time.Now().UTC().Truncate(time.Microsecond)
	whole, err := w.carryUntil(t.Context(), w.at("once"), point, now)
	if err != nil || whole.Referrals != 10 {
		t.Fatalf("%+v, %v", whole, err)
	}

	var parts int64
	for _, at := range []struct {
		event, table string
		n            int
	}{
		{"UPDATE", "services", 3}, {"INSERT", "poll_progress", 1}, {"INSERT", "slots", 4}, {"DELETE", "appointments", 3}, {"INSERT", "referrals", 3},
		{"INSERT", "appointments", 5}, {"INSERT", "audit", 7}, {"INSERT", "idempotency", 4}, {"INSERT", "outbox", 20}, {"UPDATE", "slots", 1}, {"UPDATE", "migration", 0},
	} {
		parts += w.cut(point, now, at.event, at.table, at.n).Referrals
	}
	done, err := w.carryUntil(t.Context(), w.toURL(), point, now)
	if err != nil || parts+done.Referrals != whole.Referrals {
		t.Errorf("carried over %d and then %d referrals, want %d; %v", parts, done.Referrals, whole.Referrals, err)
	}
	once := content(t, w.at("once"))
	for table, got := range content(t, w.toURL()) {
		if once[table] != got {
			t.Errorf("%s: uncut\n%s\ncut off and taken up again\n%s", table, firstUnlike(once[table], got), firstUnlike(got, once[table]))
		}
	}
	if c := w.carry(point); c != (Carried{Displaced: 3}) {
		t.Errorf("again: %+v", c)
	}
}

// firstUnlike is the first line that the other text lacks.
func firstUnlike(text, other string) string {
	for line := range strings.Lines(text) {
		if !strings.Contains(other, line) {
			return line
		}
	}
	return ""
}
