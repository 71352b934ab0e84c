// SPDX-License-Identifier: Apache-2.0

//go:build engines

package restore

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

var (
	clinician = domain.Caller{Application: "gp-system", User: "555", Organisation: "A1", Role: domain.ReferringClinician}
	ill       = domain.Reason{Set: domain.AppointmentReasonSet, Code: "PATIENT_ILL"}
	noAnswer  = domain.Reason{Set: domain.ReviewReasonSet, Code: domain.BookingAttemptProblem}
)

// clinic is a seeded service of RX0 that keeps its slots here; asked is one with a provider's system.
const (
	clinic = 11000
	asked  = 11010
)

// twins are a booking database, and the copy of it that divide makes. The program's clock is hours behind, so that a
// test can step it.
type twins struct {
	*store.Store
	t       testing.TB
	behind  atomic.Int64
	fromURL string
}

func (w *twins) now() time.Time { return time.Now().Add(-time.Duration(w.behind.Load())) }

func (w *twins) step(d time.Duration) { w.behind.Add(int64(-d)) }

func newTwins(t testing.TB) *twins {
	t.Helper()
	server := engines.PostgresServer(t)
	w := &twins{t: t, fromURL: server.URL}
	w.step(-5 * time.Hour)
	w.reopen()
	t.Cleanup(func() { w.Close() })
	if err := w.Put(t.Context(), store.Seed{Services: 11, Slots: 28}); err != nil {
		t.Fatal(err)
	}
	run(t, w.fromURL, fmt.Sprintf(`UPDATE booking.services SET endpoint = 'https://provider.test' WHERE id = %d`, asked))
	return w
}

func (w *twins) reopen() {
	w.t.Helper()
	s, err := store.Open(context.Background(), store.Options{Source: database.URL(w.fromURL), Connections: 4, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Store = s
}

// divide makes the copy, whose point is now; then two hours pass.
func (w *twins) divide() (point time.Time) {
	w.t.Helper()
	w.Close()
	run(w.t, w.at("template1"), `CREATE DATABASE copy TEMPLATE postgres`)
	point = w.now()
	w.reopen()
	w.step(2 * time.Hour)
	return point
}

func (w *twins) at(name string) string {
	w.t.Helper()
	u, err := url.Parse(w.fromURL)
	if err != nil {
		w.t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func (w *twins) toURL() string { return w.at("copy") }

// open is the copy as the program finds it.
func (w *twins) open() *store.Store {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), store.Options{Source: database.URL(w.toURL()), Connections: 4, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

func run(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func ask[T any](t testing.TB, url, sql string) (found []T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	if found, err = pgx.CollectRows(rows, pgx.RowTo[T]); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return found
}

func one[T any](t testing.TB, url, sql string, args ...any) T {
	t.Helper()
	found := ask[T](t, url, fmt.Sprintf(sql, args...))
	if len(found) != 1 {
		t.Fatalf("%s: %d rows", fmt.Sprintf(sql, args...), len(found))
	}
	return found[0]
}

// keyed is a request that may be repeated.
func keyed(value string) store.Key {
	return store.Key{Application: "gp-system/", Value: value, Hash: [32]byte{1}}
}

func (w *twins) refer(name string) domain.UBRN {
	w.t.Helper()
	ubrn, err := domain.NewUBRN(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	now := w.now().UTC()
	r := &domain.Referral{UBRN: ubrn, Version: 1, RequestID: store.NewRequestID(), State: domain.NotBooked, Patient: "9434765919",
		Referrer: "A1", Clinician: "555", Priority: domain.Routine, Specialty: "CARDIOLOGY", Letter: "NEED_TO_ADD_LATER", Pathway: now, Created: now,
		Updated: now, Shortlist: []domain.ShortlistEntry{{ServiceID: clinic, Name: "clinic"}, {ServiceID: asked, Name: "asked"}}}
	if _, repeated, taken, err := w.Create(w.t.Context(), clinician, keyed("refer "+name), r, store.Access{Salt: []byte{1}, Hash: []byte{2}}); err != nil || repeated || taken {
		w.t.Fatal(repeated, taken, err)
	}
	return ubrn
}

// slot is the n-th slot of a service.
func (w *twins) slot(service, n int) int64 {
	w.t.Helper()
	return one[int64](w.t, w.fromURL, `SELECT id FROM booking.slots WHERE service_id = %d ORDER BY starts, id OFFSET %d LIMIT 1`, service, n)
}

func (w *twins) book(ubrn domain.UBRN, n int) (slot int64) {
	w.t.Helper()
	slot = w.slot(clinic, n)
	_, attempt, err := w.Book(w.t.Context(), clinician, keyed(fmt.Sprint("book ", ubrn, n)), store.Booking{UBRN: ubrn, Service: clinic, Slot: slot, Hold: time.Minute})
	if err != nil || attempt != nil {
		w.t.Fatal(attempt, err)
	}
	return slot
}

// attempt holds a slot whose provider has not answered yet.
func (w *twins) attempt(ubrn domain.UBRN, n int) *store.Attempt {
	w.t.Helper()
	_, attempt, err := w.Book(w.t.Context(), clinician, keyed(fmt.Sprint("try ", ubrn, n)), store.Booking{UBRN: ubrn, Service: asked, Slot: w.slot(asked, n), Hold: time.Minute})
	if err != nil || attempt == nil {
		w.t.Fatal(attempt, err)
	}
	return attempt
}

func (w *twins) cancel(ubrn domain.UBRN) {
	w.t.Helper()
	r, err := w.Referral(w.t.Context(), ubrn)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.CancelAppointment(w.t.Context(), clinician, r.Appointment.ID, -1, ill); err != nil {
		w.t.Fatal(err)
	}
}

func (w *twins) postpone(ubrn domain.UBRN, key string) {
	w.t.Helper()
	if _, err := w.Defer(w.t.Context(), clinician, keyed(key), store.Deferral{UBRN: ubrn, Service: clinic, Reason: noAnswer}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *twins) compare(point time.Time) Comparison {
	w.t.Helper()
	c, err := Compare(w.t.Context(), database.URL(w.fromURL), database.URL(w.toURL()), point)
	if err != nil {
		w.t.Fatal(err)
	}
	c.Last = time.Time{}
	return c
}

func (w *twins) since(point time.Time) Comparison {
	w.t.Helper()
	c, err := CompareSince(w.t.Context(), database.URL(w.fromURL), database.URL(w.toURL()), point)
	if err != nil {
		w.t.Fatal(err)
	}
	c.Last = time.Time{}
	return c
}

func (w *twins) carry(point time.Time) Carried {
	w.t.Helper()
	c, err := CarryOver(w.t.Context(), database.URL(w.fromURL), database.URL(w.toURL()), point)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// destroy is the accident: referrals are deleted by hand, with all that belongs to them.
func (w *twins) destroy(ubrns ...domain.UBRN) {
	w.t.Helper()
	for _, u := range ubrns {
		run(w.t, w.fromURL,
			fmt.Sprintf(`UPDATE booking.slots SET state = 'FREE' WHERE id IN (SELECT slot_id FROM booking.appointments WHERE ubrn = %d)`, u.Number()),
			fmt.Sprintf(`DELETE FROM booking.asi WHERE ubrn = %d`, u.Number()), fmt.Sprintf(`DELETE FROM booking.appointments WHERE ubrn = %d`, u.Number()),
			fmt.Sprintf(`DELETE FROM booking.idempotency WHERE ubrn = %d`, u.Number()), fmt.Sprintf(`DELETE FROM booking.audit WHERE ubrn = %d`, u.Number()),
			fmt.Sprintf(`DELETE FROM booking.referrals WHERE ubrn = %d`, u.Number()))
	}
}

// whole is a referral with all that belongs to it, as one text.
func whole(t testing.TB, url string, ubrn domain.UBRN) (text string) {
	t.Helper()
	for _, table := range []string{"referrals", "appointments", "asi", "idempotency", "audit"} {
		text += one[string](t, url, `SELECT '%[1]s: ' || coalesce(string_agg(t::text, E'\n' ORDER BY t::text), 'none') || E'\n' FROM booking.%[1]s t WHERE ubrn = %[2]d`, table, ubrn.Number())
	}
	return text
}
