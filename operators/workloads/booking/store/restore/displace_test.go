// SPDX-License-Identifier: Apache-2.0

//go:build engines

package restore

import (
	"fmt"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// collide makes bookings and attempts that are destroyed by hand, and whose slots are given to others since.
func (w *twins) collide() (point time.Time, had map[string]domain.UBRN, since []domain.UBRN) {
	w.t.Helper()
	had = map[string]domain.UBRN{"booked": w.refer("booked"), "at a provider": w.refer("at a provider"), "trying": w.refer("trying"), "rebooking": w.refer("rebooking")}
	w.book(had["booked"], 0)
	w.book(had["rebooking"], 1)
	if _, err := w.Confirm(w.t.Context(), clinician, w.attempt(had["at a provider"], 0)); err != nil {
		w.t.Fatal(err)
	}
	w.attempt(had["trying"], 1)
	w.attempt(had["rebooking"], 2)
	w.step(time.Hour)
	point = w.divide()
	for name := range had {
		w.destroy(had[name])
	}
	for i := range 4 {
		since = append(since, w.refer(fmt.Sprint("since", i)))
	}
	w.book(since[0], 0)
	for i := range 3 {
		if _, err := w.Confirm(w.t.Context(), clinician, w.attempt(since[i+1], i)); err != nil {
			w.t.Fatal(err)
		}
	}
	return point, had, since
}

// A slot that was given to another since is that one's. Who had it is on the provider's worklist.
func TestNoSlotIsBookedTwice(t *testing.T) {
	w := newTwins(t)
	point, had, since := w.collide()
	if c := w.compare(point); c != (Comparison{OnlyTo: 4, After: 4}) {
		t.Errorf("before: %+v", c)
	}
	run(t, w.at("template1"), `CREATE DATABASE earlier TEMPLATE copy`)
	if c := w.carry(point); c != (Carried{Referrals: 4, Displaced: 3}) {
		t.Errorf("carried over %+v", c)
	}
	if c := w.since(point); c != (Comparison{Both: 4}) {
		t.Errorf("since the point: %+v", c)
	}
	if c := w.compare(point); c != (Comparison{Both: 4, OnlyTo: 4}) {
		t.Errorf("afterwards: %+v", c)
	}
	if n := one[int](t, w.toURL(), `SELECT count(*)::int FROM pg_indexes WHERE indexname = 'one_booking_per_slot' AND indexdef LIKE 'CREATE UNIQUE INDEX%%PENDING%%BOOKED%%'`); n != 1 {
		t.Error("the index one_booking_per_slot is not what it was")
	}
	if n := one[int](t, w.toURL(), unlike); n != 0 {
		t.Errorf("%d slots are shown as what they are not", n)
	}
	to := w.open()
	for i, ubrn := range since {
		r, err := to.Referral(t.Context(), ubrn)
		if err != nil || r.State != domain.Booked || r.Appointment.SlotID == 0 {
			t.Errorf("booking %d since: %+v, %v", i, r, err)
		}
	}
	for name, want := range map[string]struct {
		event, reason string
		version       int
		releases      int
	}{
		"booked":        {"displace", domain.SlotNotAvailable, 3, 0},
		"at a provider": {"displace", domain.SlotNotAvailable, 3, 1},
		"trying":        {"defer to provider", domain.SlotNotAvailable, 2, 1},
	} {
		r, err := to.Referral(t.Context(), had[name])
		if err != nil {
			t.Fatal(err)
		}
		a := r.Appointment
		if r.State != domain.DeferredToProvider || r.Version != want.version || r.Reviewed || a.State != domain.AppointmentDeferred || a.SlotID != 0 || a.Reason.Code != want.reason {
			t.Errorf("%s: %+v, %+v", name, r, a)
		}
		number := had[name].Number()
		if event := one[string](t, w.toURL(), `SELECT event FROM booking.audit WHERE ubrn = %d AND application = 'restore' AND version = %d`, number, want.version); event != want.event {
			t.Errorf("%s: the audit says %q", name, event)
		}
		if n := one[int](t, w.toURL(), `SELECT count(*)::int FROM booking.outbox WHERE kind = 'event' AND body->>'ubrn' = '%s' AND body->>'version' = '%d' AND body->>'state' = 'DEFERRED_TO_PROVIDER'`, had[name], want.version); n != 1 {
			t.Errorf("%s: %d events tell of it", name, n)
		}
		if n := one[int](t, w.toURL(), `SELECT count(*)::int FROM booking.outbox o JOIN booking.appointments a ON a.request::text = o.body->>'request' WHERE kind = 'release' AND a.ubrn = %d`, number); n != want.releases {
			t.Errorf("%s: %d releases, want %d", name, n, want.releases)
		}
		found, err := to.SlotIssues(t.Context(), store.List{Organisation: r.Provider, Limit: 10})
		if err != nil || len(found) == 0 || found[0].ContactBy.Before(time.Now()) {
			t.Errorf("%s: the provider's worklist is %+v, %v", name, found, err)
		}
		// It goes on as any other: another slot is found.
		if r, _, err = to.Book(t.Context(), clinician, store.Key{}, store.Booking{UBRN: had[name], Service: clinic, Slot: w.slot(clinic, 10+2*want.version+want.releases), Hold: time.Minute}); err != nil || r.State != domain.Booked {
			t.Errorf("%s: a booking from the worklist: %v", name, err)
		}
	}
	// An attempt to rebook ends, and the appointment that it was to replace stays.
	r, err := to.Referral(t.Context(), had["rebooking"])
	if err != nil || r.State != domain.Booked || r.Version != 2 || r.Appointment.SlotID != w.slot(clinic, 1) {
		t.Errorf("rebooking: %+v, %v", r, err)
	}
	if state := one[string](t, w.toURL(), `SELECT state FROM booking.appointments WHERE ubrn = %d AND service_id = %d`, had["rebooking"].Number(), asked); state != "FAILED" {
		t.Errorf("the attempt to rebook is %s", state)
	}
	// It is said again what was displaced, for a run that was cut off after it.
	if c := w.carry(point); c != (Carried{Displaced: 3}) {
		t.Errorf("again: %+v", c)
	}
	// Another restore, of the copy that is in use by then, carries over what this one did, and displaces nobody.
	c, err := CarryOver(t.Context(), database.URL(w.toURL()), database.URL(w.at("earlier")), point)
	if err != nil || c != (Carried{Referrals: 8}) {
		t.Errorf("another restore: %+v, %v", c, err)
	}
}

// A slot that was deleted by hand, stored anew under another number, and given to another.
func TestASlotWithAnotherNumberIsTheSameSlot(t *testing.T) {
	w := newTwins(t)
	had := w.refer("had")
	slot := w.book(had, 0)
	w.step(time.Hour)
	point := w.divide()
	w.destroy(had)
	run(t, w.fromURL, fmt.Sprintf(`WITH s AS (DELETE FROM booking.slots WHERE id = %d RETURNING *)
		INSERT INTO booking.slots (service_id, reference, starts, ends) SELECT service_id, reference, starts, ends FROM s`, slot))
	since := w.refer("since")
	now := w.book(since, 0)
	if now == slot {
		t.Fatal("the slot has its number")
	}
	if c := w.carry(point); c != (Carried{Referrals: 1, Displaced: 1}) {
		t.Errorf("carried over %+v", c)
	}
	if c := w.since(point); c != (Comparison{Both: 1}) {
		t.Errorf("since the point: %+v", c)
	}
	if n := one[int](t, w.toURL(), `SELECT count(*)::int FROM booking.slots WHERE id = %d`, slot); n != 0 {
		t.Error("the slot is there twice")
	}
}
