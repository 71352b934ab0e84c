// SPDX-License-Identifier: Apache-2.0

//go:build engines

package flow

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/booking/storetest"
)

var (
	referrer = domain.Caller{Application: "gp", User: "021600556514", Organisation: "R69", Role: domain.ReferringClinician}
	provider = domain.Caller{Application: "pas", User: "921600556514", Organisation: "RX0", Role: domain.ProviderClinician}
)

// fakeProvider answers bookings as the test says.
type fakeProvider struct {
	book     func(ctx context.Context, a *store.Attempt) error
	asked    atomic.Int64
	released atomic.Int64
}

func (f *fakeProvider) Book(ctx context.Context, a *store.Attempt) error {
	f.asked.Add(1)
	return f.book(ctx, a)
}

func (f *fakeProvider) Release(context.Context, store.Release) error {
	f.released.Add(1)
	return nil
}

type world struct {
	*Desk
	store    *store.Store
	clock    *storetest.Clock
	provider *fakeProvider
	rules    Rules
	kill     func()
	start    func(context.Context) error
}

func newWorld(t *testing.T, endpoint string) *world {
	s, clock, server := storetest.Open(t, endpoint)
	p := &fakeProvider{book: func(context.Context, *store.Attempt) error { return nil }}
	w := &world{store: s, clock: clock, provider: p, rules: Rules{Answer: 2 * time.Second}, kill: server.Kill, start: server.Start}
	w.Desk = NewDesk(s, p, func() Rules { return w.rules }, clock.Now, slog.New(slog.DiscardHandler))
	return w
}

// refer makes a referral to CARDIOLOGY services 11000, 11011, 11022.
func (w *world) refer(t *testing.T) *domain.Referral {
	t.Helper()
	made, err := w.Refer(t.Context(), referrer, Key{}, newReferral())
	if err != nil {
		t.Fatal(err)
	}
	return made.Referral
}

func newReferral() NewReferral {
	return NewReferral{Patient: "9912003888", Priority: domain.Routine, Specialty: "CARDIOLOGY", Shortlist: []int64{11000, 11011, 11022}, Letter: "NEED_TO_ADD_LATER"}
}

func (w *world) slots(t *testing.T, service int64) []domain.Slot {
	t.Helper()
	page, err := w.Slots(t.Context(), referrer, SlotQuery{Service: service, Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Slots
}

func TestTwoHundredConcurrentBookingsOfOneSlotMakeOne(t *testing.T) {
	w := newWorld(t, "")
	slot := w.slots(t, 11000)[0]
	referrals := make([]*domain.Referral, 200)
	for i := range referrals {
		referrals[i] = w.refer(t)
	}
	var won, gone atomic.Int64
	var all sync.WaitGroup
	for _, r := range referrals {
		all.Go(func() {
			_, err := w.Book(t.Context(), referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slot.ID})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, domain.ErrSlotGone):
				gone.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || gone.Load() != 199 {
		t.Fatalf("%d booked, %d refused", won.Load(), gone.Load())
	}
	if left := len(w.slots(t, 11000)); left != 27 {
		t.Errorf("%d free slots left, expected 27", left)
	}
	var live int
	if err := w.store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM booking.appointments WHERE slot_id = $1 AND state = 'BOOKED'`, slot.ID).Scan(&live); err != nil || live != 1 {
		t.Errorf("%d live appointments, %v", live, err)
	}
}

func TestTheSameKeyBooksOnceAndWithOtherContentConflicts(t *testing.T) {
	w := newWorld(t, "")
	r, slots := w.refer(t), w.slots(t, 11000)
	b := BookSlot{UBRN: r.UBRN, Version: r.Version, Service: 11000, Slot: slots[0].ID}
	key := NewKey("k1", "book", b)
	var ids sync.Map
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got, err := w.Book(t.Context(), referrer, key, b)
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(got.Appointment.ID, got.Version)
		})
	}
	all.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Fatalf("%d different appointments for one key", n)
	}
	other := BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[1].ID}
	var conflict *domain.KeyConflictError
	if _, err := w.Book(t.Context(), referrer, NewKey("k1", "book", other), other); !errors.As(err, &conflict) {
		t.Errorf("same key, other content: %v", err)
	}
	// Another application's key of the same text is another key.
	stranger := referrer
	stranger.Application = "other"
	if _, err := w.Book(t.Context(), stranger, NewKey("k1", "book", b), b); !isVersion(err) {
		t.Errorf("expected a version conflict, got %v", err)
	}
}

func isVersion(err error) bool {
	var v *domain.VersionError
	return errors.As(err, &v)
}

func TestReferringTwiceWithOneKeyMakesOneReferral(t *testing.T) {
	w := newWorld(t, "")
	n := newReferral()
	first, err := w.Refer(t.Context(), referrer, NewKey("r1", "refer", n), n)
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Refer(t.Context(), referrer, NewKey("r1", "refer", n), n)
	if err != nil || second.Referral.UBRN != first.Referral.UBRN {
		t.Fatalf("%v, %v", second, err)
	}
	if second.AccessCode != "" {
		t.Error("the access code was shown twice")
	}
	if _, err := w.SignIn(t.Context(), first.Referral.UBRN, first.AccessCode); err != nil {
		t.Error(err)
	}
	if _, err := w.SignIn(t.Context(), first.Referral.UBRN, "aaaa-aaaa-aaaa"); !errors.Is(err, domain.ErrSignIn) {
		t.Errorf("wrong code: %v", err)
	}
	n.Patient = "1000000001"
	var conflict *domain.KeyConflictError
	if _, err := w.Refer(t.Context(), referrer, NewKey("r1", "refer", n), n); !errors.As(err, &conflict) {
		t.Errorf("another patient under the same key: %v", err)
	}
}

func TestWholeLifeOfAReferral(t *testing.T) {
	w := newWorld(t, "")
	ctx, r := t.Context(), w.refer(t)
	slots := w.slots(t, 11000)
	r, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Version: r.Version, Service: 11000, Slot: slots[0].ID})
	must(t, err)
	expect(t, r, domain.Booked, 2)
	// Rebooking frees the former slot.
	r, err = w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Version: 2, Service: 11000, Slot: slots[1].ID})
	must(t, err)
	if now := w.slots(t, 11000); now[0].ID != slots[0].ID {
		t.Error("the former slot is not free again")
	}
	if _, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Version: 2, Service: 11000, Slot: slots[2].ID}); !isVersion(err) {
		t.Errorf("old version: %v", err)
	}
	// Service 11000 belongs to RX0, who may review.
	r, err = w.Accept(ctx, provider, r.UBRN, r.Version)
	must(t, err)
	var state *domain.StateError
	if _, err := w.Accept(ctx, provider, r.UBRN, r.Version); !errors.As(err, &state) {
		t.Errorf("accepted twice: %v", err)
	}
	r, err = w.CancelAppointment(ctx, referrer, r.Appointment.ID, r.Appointment.Version, domain.Reason{Set: domain.AppointmentReasonSet, Code: "PATIENT_ILL"})
	must(t, err)
	expect(t, r, domain.CancelledByPatient, 5)
	r, err = w.CancelReferral(ctx, referrer, r.UBRN, r.Version, domain.Reason{Set: domain.ReferralReasonSet, Code: "INTEND_PRIVATE"})
	must(t, err)
	expect(t, r, domain.CancelledReferral, 6)
	if _, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[0].ID}); !errors.As(err, &state) {
		t.Errorf("booked a cancelled referral: %v", err)
	}
	counts, err := w.store.Counts(ctx)
	must(t, err)
	// Created, booked, rebooked, accepted, cancelled twice: one event each, and no provider to tell.
	if counts.OutboxPending != 6 || counts.Bookings != 0 || counts.OpenASI != 0 {
		t.Errorf("%+v", counts)
	}
}

func TestNoAnswerDefersAndReleases(t *testing.T) {
	w := newWorld(t, "https://pas.invalid")
	ctx, r := t.Context(), w.refer(t)
	slots := w.slots(t, 11000)
	w.provider.book = func(ctx context.Context, _ *store.Attempt) error { <-ctx.Done(); return ctx.Err() }
	w.rules.Answer = 50 * time.Millisecond
	r, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[0].ID})
	must(t, err)
	expect(t, r, domain.DeferredToProvider, 2)
	items, err := w.Worklist(ctx, provider, WorklistQuery{List: AppointmentSlotIssues})
	must(t, err)
	if len(items) != 1 || items[0].Referral.UBRN != r.UBRN || items[0].Referral.Reason.Code != domain.BookingAttemptProblem {
		t.Fatalf("worklist: %+v", items)
	}
	due, err := w.store.Releases(ctx, time.Minute, 10)
	must(t, err)
	if len(due) != 1 {
		t.Fatalf("%d releases", len(due))
	}
	// The client that saw no answer asks for the deferral that was made.
	again, err := w.Defer(ctx, referrer, Key{}, Deferral{UBRN: r.UBRN, Version: 1, Service: 11000, Reason: domain.BookingAttemptProblem})
	must(t, err)
	if again.Version != r.Version || again.Appointment.ID != r.Appointment.ID {
		t.Error("deferred twice")
	}
	// A later booking closes the ASI.
	w.provider.book = func(context.Context, *store.Attempt) error { return nil }
	r, err = w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[1].ID})
	must(t, err)
	expect(t, r, domain.Booked, 3)
	// A rebooking without an answer keeps the appointment.
	w.provider.book = func(ctx context.Context, _ *store.Attempt) error { <-ctx.Done(); return ctx.Err() }
	if _, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[2].ID}); !errors.Is(err, domain.ErrProviderSilent) {
		t.Fatalf("rebooking: %v", err)
	}
	r, err = w.Referral(ctx, referrer, r.UBRN)
	must(t, err)
	expect(t, r, domain.Booked, 3)
	counts, err := w.store.Counts(ctx)
	must(t, err)
	if counts.OpenASI != 0 || counts.Bookings != 1 {
		t.Errorf("%+v", counts)
	}
}

func TestTakenAtTheProviderWithdrawsTheSlot(t *testing.T) {
	w := newWorld(t, "https://pas.invalid")
	r, slots := w.refer(t), w.slots(t, 11000)
	b := BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[0].ID}
	key := NewKey("k", "book", b)
	w.provider.book = func(context.Context, *store.Attempt) error { return ErrTaken }
	if _, err := w.Book(t.Context(), referrer, key, b); !errors.Is(err, domain.ErrSlotGone) {
		t.Fatal(err)
	}
	if len(w.slots(t, 11000)) != 27 {
		t.Error("the slot is still offered")
	}
	w.provider.book = func(context.Context, *store.Attempt) error { return ErrRefused }
	var rule *domain.RuleError
	other := BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[1].ID}
	if _, err := w.Book(t.Context(), referrer, NewKey("k", "book", other), other); !errors.As(err, &rule) {
		t.Fatalf("a failed booking keeps its key: %v", err)
	}
	if len(w.slots(t, 11000)) != 27 {
		t.Error("a slot that the provider did not book is not offered")
	}
}

func TestAnAbandonedAttemptIsTakenUp(t *testing.T) {
	w := newWorld(t, "https://pas.invalid")
	ctx, r, slots := t.Context(), w.refer(t), w.slots(t, 11000)
	// The replica dies after it held the slot: the provider is never heard.
	_, attempt, err := w.store.Book(ctx, referrer, store.Key{}, store.Booking{UBRN: r.UBRN, Service: 11000, Slot: slots[0].ID, Hold: time.Minute})
	must(t, err)
	if attempt == nil {
		t.Fatal("not held")
	}
	if _, err := w.Book(ctx, referrer, Key{}, BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slots[1].ID}); !errors.Is(err, domain.ErrInProgress) {
		t.Fatalf("a second attempt meanwhile: %v", err)
	}
	if n, err := w.Recover(ctx); n != 0 || err != nil {
		t.Fatalf("recovered %d before its time, %v", n, err)
	}
	w.clock.Step(2 * time.Minute)
	if n, err := w.Recover(ctx); n != 1 || err != nil {
		t.Fatalf("recovered %d, %v", n, err)
	}
	r, err = w.Referral(ctx, referrer, r.UBRN)
	must(t, err)
	expect(t, r, domain.Booked, 2)
	// The first replica was only slow: its late answer changes nothing.
	late, err := w.store.Confirm(ctx, referrer, attempt)
	must(t, err)
	expect(t, late, domain.Booked, 2)
	if w.provider.asked.Load() != 1 {
		t.Errorf("asked %d times", w.provider.asked.Load())
	}
}

func TestBookingsAcknowledgedBeforeAPowerCutAreThereAfter(t *testing.T) {
	w := newWorld(t, "")
	slots := w.slots(t, 11000)
	var acknowledged []*domain.Referral
	for i := range 20 {
		r, err := w.Book(t.Context(), referrer, Key{}, BookSlot{UBRN: w.refer(t).UBRN, Service: 11000, Slot: slots[i].ID})
		must(t, err)
		acknowledged = append(acknowledged, r)
	}
	w.kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var away *domain.OverloadedError
	if _, err := w.Referral(ctx, referrer, acknowledged[0].UBRN); !errors.As(err, &away) {
		t.Errorf("without a database: %v", err)
	}
	must(t, w.start(t.Context()))
	for _, want := range acknowledged {
		got, err := w.Referral(t.Context(), referrer, want.UBRN)
		must(t, err)
		if got.State != domain.Booked || got.Appointment.SlotID != want.Appointment.SlotID {
			t.Errorf("%s: %s, slot %d", want.UBRN, got.State, got.Appointment.SlotID)
		}
	}
}

func TestOthersReferralsAreForbidden(t *testing.T) {
	w := newWorld(t, "")
	ctx, r, slot := t.Context(), w.refer(t), w.slots(t, 11000)[0]
	stranger := referrer
	stranger.Organisation = "B82"
	b := BookSlot{UBRN: r.UBRN, Service: 11000, Slot: slot.ID}
	var no *domain.ForbiddenError
	for name, err := range map[string]error{
		"read":   third(w.Referral(ctx, stranger, r.UBRN)),
		"book":   third(w.Book(ctx, stranger, Key{}, b)),
		"cancel": third(w.CancelReferral(ctx, stranger, r.UBRN, 0, domain.Reason{Code: "INTEND_PRIVATE"})),
		"accept": third(w.Accept(ctx, provider, r.UBRN, 0)),
		"role":   third(w.Book(ctx, provider, Key{}, b)),
	} {
		if !errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.rules.Closed = true
	if _, err := w.Book(ctx, referrer, Key{}, b); !errors.Is(err, domain.ErrClosing) {
		t.Errorf("booked while closing: %v", err)
	}
	if _, err := w.CancelReferral(ctx, referrer, r.UBRN, 0, domain.Reason{Code: "INTEND_PRIVATE"}); err != nil {
		t.Errorf("cancelling while closing: %v", err)
	}
	if _, err := w.Referral(ctx, referrer, "000000000018"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestTheProbeProvesTheConstraint(t *testing.T) {
	w := newWorld(t, "")
	for range 3 {
		must(t, w.store.Probe(t.Context()))
	}
	counts, err := w.store.Counts(t.Context())
	must(t, err)
	counts.Standbys = nil
	if !reflect.DeepEqual(counts, store.Counts{}) {
		t.Errorf("left behind: %+v", counts)
	}
	_, err = w.store.Pool().Exec(t.Context(), `DROP INDEX booking.one_booking_per_slot`)
	must(t, err)
	if err := w.store.Probe(t.Context()); err == nil {
		t.Error("the constraint is gone and the probe is content")
	}
}

func third[T any](_ T, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, r *domain.Referral, state domain.State, version int) {
	t.Helper()
	if r.State != state || r.Version != version {
		t.Fatalf("%s, version %d; expected %s, version %d", r.State, r.Version, state, version)
	}
}
