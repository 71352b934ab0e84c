// SPDX-License-Identifier: Apache-2.0

//go:build engines

package restore

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

func TestATrueCopyIsAlike(t *testing.T) {
	w := newTwins(t)
	if err := w.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	booked, last := w.refer("booked"), w.refer("last")
	w.book(booked, 0)
	w.postpone(last, "defer")
	w.attempt(w.refer("trying"), 0)
	point := w.divide()
	if err := w.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := w.compare(point); c != (Comparison{Both: 3}) {
		t.Errorf("%+v", c)
	}
	// The copy was made before the first probe of all; what the probe reserves is nobody's.
	for _, url := range []string{w.toURL(), w.fromURL} {
		run(t, url, `DELETE FROM booking.referrals WHERE ubrn = 1`)
		if c := w.compare(point); c != (Comparison{Both: 3}) {
			t.Errorf("without the probe's referral: %+v", c)
		}
	}
	if c := w.carry(point); c != (Carried{}) {
		t.Errorf("carried over %+v", c)
	}
	c, err := Compare(t.Context(), database.URL(w.fromURL), database.URL(w.toURL()), point)
	if want := one[time.Time](t, w.toURL(), `SELECT max(at) FROM booking.audit`); err != nil || !c.Last.Equal(want) || !c.Last.Before(point) {
		t.Errorf("the newest change is of %s, want %s; %v", c.Last, want, err)
	}
}

func TestWhatIsMissingInTheCopyIsFound(t *testing.T) {
	w := newTwins(t)
	lost := w.refer("lost")
	w.refer("kept")
	w.step(time.Hour)
	point := w.divide()
	run(t, w.toURL(), `DELETE FROM booking.referrals WHERE ubrn = `+string(lost))
	if c := w.compare(point); c != (Comparison{Both: 1, OnlyFrom: 1}) {
		t.Errorf("%+v", c)
	}
	for name, to := range map[string]string{"same database": w.fromURL, "restored": w.at("template1")} {
		if _, err := Compare(t.Context(), database.URL(w.fromURL), database.URL(to), point); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was done by hand since the point is undone, and what the program did since stays.
func TestWhatTheProgramChangedIsCarriedOverAndAMistakeIsUndone(t *testing.T) {
	w := newTwins(t)
	before := map[string]domain.UBRN{}
	for i, name := range []string{"destroyed", "damaged", "cancelled", "rebooked", "rebooked to its slot", "unbooked and taken", "untouched"} {
		before[name] = w.refer(name)
		w.book(before[name], i)
	}
	for _, name := range []string{"deferred", "booked", "fails", "answers", "again"} {
		before[name] = w.refer(name)
	}
	w.postpone(before["again"], "first")
	failing, answered := w.attempt(before["fails"], 0), w.attempt(before["answers"], 1)
	w.step(time.Hour)
	point := w.divide()

	w.cancel(before["cancelled"])
	w.book(before["rebooked"], 10)            // frees 3
	w.book(before["rebooked to its slot"], 3) // of "rebooked"
	w.cancel(before["unbooked and taken"])    // frees 5
	w.postpone(before["deferred"], "deferral")
	w.postpone(before["again"], "second") // which changes nothing but that this key is known
	w.book(before["booked"], 11)
	made, withdrawn := w.refer("made"), w.refer("made and cancelled")
	w.book(made, 5) // of "unbooked and taken"
	if _, err := w.CancelReferral(t.Context(), clinician, withdrawn, 0, ill); err != nil {
		t.Fatal(err)
	}
	if err := w.Fail(t.Context(), clinician, failing, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Confirm(t.Context(), clinician, answered); err != nil {
		t.Fatal(err)
	}
	// The program had read its clock before the point, and committed after it.
	w.step(-2*time.Hour - 30*time.Second)
	near := w.refer("close to the point")
	w.step(2*time.Hour + 30*time.Second)
	trying := w.refer("tries")
	w.attempt(trying, 2)
	// The accident.
	was := map[string]string{"destroyed": whole(t, w.toURL(), before["destroyed"]), "damaged": whole(t, w.toURL(), before["damaged"])}
	w.destroy(before["destroyed"])
	run(t, w.fromURL, `UPDATE booking.appointments SET state = 'CANCELLED' WHERE ubrn = `+string(before["damaged"]),
		`UPDATE booking.referrals SET state = 'NOT_BOOKED', updated = now() WHERE ubrn = `+string(before["damaged"]))

	changed := []domain.UBRN{made, withdrawn, trying, near}
	for _, name := range []string{"cancelled", "rebooked", "rebooked to its slot", "unbooked and taken", "deferred", "booked", "fails", "answers"} {
		changed = append(changed, before[name])
	}
	want := Comparison{Both: 2, OnlyTo: 1, Differing: 1, After: int64(len(changed))}
	if c := w.compare(point); c != want {
		t.Errorf("before: %+v, want %+v", c, want)
	}
	outbox := ask[string](t, w.toURL(), `SELECT request::text FROM booking.outbox`)
	if c := w.carry(point); c != (Carried{Referrals: int64(len(changed))}) {
		t.Errorf("carried over %+v, want %d", c, len(changed))
	}
	want.Both, want.After = want.Both+want.After, 0
	if c := w.compare(point); c != want {
		t.Errorf("afterwards: %+v, want %+v", c, want)
	}
	// The damaged one has the time of its damage.
	if c := w.since(point); c != (Comparison{Both: int64(len(changed)), Differing: 1}) {
		t.Errorf("since the point: %+v", c)
	}
	for _, ubrn := range changed {
		if from, to := whole(t, w.fromURL, ubrn), whole(t, w.toURL(), ubrn); from != to {
			t.Errorf("before:\n%s\nin the copy:\n%s", from, to)
		}
	}
	for name, text := range was {
		if got := whole(t, w.toURL(), before[name]); got != text {
			t.Errorf("%s: it was\n%s\nand is\n%s", name, text, got)
		}
	}
	// What the copy had to send stays, and what was to be sent since is there, once.
	outbox = append(outbox, ask[string](t, w.fromURL, `SELECT request::text FROM booking.outbox WHERE created >= '`+point.Add(-time.Minute).UTC().Format(time.RFC3339Nano)+`'`)...)
	got := ask[string](t, w.toURL(), `SELECT request::text FROM booking.outbox`)
	slices.Sort(outbox)
	slices.Sort(got)
	if !slices.Equal(got, outbox) {
		t.Errorf("%d entries are in the outbox, want %d", len(got), len(outbox))
	}
	if n := one[int](t, w.toURL(), unlike); n != 0 {
		t.Errorf("%d slots are shown as what they are not", n)
	}
	// The provider said that it was gone.
	if state := one[string](t, w.toURL(), `SELECT state FROM booking.slots WHERE id = %d`, failing.Slot.ID); state != "WITHDRAWN" {
		t.Errorf("the slot of a failed attempt is %s", state)
	}

	if c := w.carry(point); c != (Carried{}) {
		t.Errorf("again: carried over %+v", c)
	}
	w.goesOn(before, made)
}

// unlike counts slots of which lists would show another state than their appointments say.
const unlike = `SELECT count(*)::int FROM booking.slots s WHERE state <> 'WITHDRAWN' AND (state = 'TAKEN') <> EXISTS (
	SELECT FROM booking.appointments a WHERE a.slot_id = s.id AND a.state IN ('PENDING', 'BOOKED'))`

// goesOn uses the copy as the program would.
func (w *twins) goesOn(before map[string]domain.UBRN, made domain.UBRN) {
	w.t.Helper()
	numbers := map[string]int64{}
	for _, table := range []string{"slots", "appointments", "outbox", "audit"} {
		numbers[table] = one[int64](w.t, w.fromURL, `SELECT last_value FROM booking.%s_id_seq`, table)
	}
	to := w.open()
	r, err := to.Referral(w.t.Context(), made)
	if err != nil || r.Version != 2 || r.State != domain.Booked {
		w.t.Fatalf("what was made since: %+v, %v", r, err)
	}
	slot := w.slot(clinic, 5)
	again, attempt, err := to.Book(w.t.Context(), clinician, keyed("book "+string(made)+"5"), store.Booking{UBRN: made, Service: clinic, Slot: slot, Hold: time.Minute})
	if err != nil || attempt != nil || again.Version != 2 || again.Appointment.ID != r.Appointment.ID {
		w.t.Errorf("a repeated booking: %+v, %v", again, err)
	}
	if again, err := to.Defer(w.t.Context(), clinician, keyed("second"), store.Deferral{UBRN: made}); err != nil || again.UBRN != before["again"] {
		w.t.Errorf("a repeated deferral: %+v, %v", again, err)
	}
	if _, err := to.Accept(w.t.Context(), domain.Caller{Organisation: "RX0", Role: domain.ProviderClinician}, made, 1); !errors.As(err, new(*domain.VersionError)) {
		w.t.Errorf("a change of an earlier version: %v", err)
	}
	if _, _, err := to.Book(w.t.Context(), clinician, store.Key{}, store.Booking{UBRN: before["deferred"], Service: clinic, Slot: slot, Hold: time.Minute}); !errors.Is(err, domain.ErrSlotGone) {
		w.t.Errorf("a slot that is another's: %v", err)
	}
	// The attempt failed, so that its request may be repeated.
	if _, attempt, err := to.Book(w.t.Context(), clinician, keyed("try "+string(before["fails"])+"0"), store.Booking{UBRN: before["fails"], Service: asked, Slot: w.slot(asked, 5), Hold: time.Minute}); err != nil || attempt == nil {
		w.t.Errorf("a failed request again: %v", err)
	}
	if r, _, err := to.Book(w.t.Context(), clinician, store.Key{}, store.Booking{UBRN: before["deferred"], Service: clinic, Slot: w.slot(clinic, 20), Hold: time.Minute}); err != nil || r.Appointment.ID <= numbers["appointments"] {
		w.t.Errorf("a booking of the copy: %+v, %v; the last of the database before was %d", r, err, numbers["appointments"])
	}
	run(w.t, w.toURL(), `INSERT INTO booking.slots (service_id, reference, starts, ends) VALUES (11000, 'new', now(), now() + interval '1 hour')`)
	for table, last := range numbers {
		if n := one[int64](w.t, w.toURL(), `SELECT max(id) FROM booking.%s`, table); n <= last {
			w.t.Errorf("%s go on with %d; the last number before was %d", table, n, last)
		}
	}
}
