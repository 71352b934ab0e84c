// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"fmt"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// fakeDesk is a desk in memory: 40 services of which each offers 12 slots a day for 14 days.
type fakeDesk struct {
	mu        sync.Mutex
	now       time.Time
	services  []domain.Service
	referrals map[domain.UBRN]*domain.Referral
	taken     map[int64]bool
	keys      map[string]flow.Key
	booked    int     // bookings made
	shortlist []int64 // of the referral made last
	next      error   // what the next change answers
}

const (
	fakeUBRN = domain.UBRN("000000070003")
	fakeCode = "abcd-efgh-jkmn"
)

func newFakeDesk(now time.Time) *fakeDesk {
	d := &fakeDesk{now: now, referrals: map[domain.UBRN]*domain.Referral{}, taken: map[int64]bool{}, keys: map[string]flow.Key{}}
	for i := range int64(40) {
		d.services = append(d.services, domain.Service{
			ID: 1000 + i, Name: fmt.Sprintf("Cardiology clinic %d <Leeds & Bradford>", i), Organisation: "RR8", Location: "Leeds General Infirmary, Great George Street",
			Postcode: "LS1 3EX", Specialty: "CARDIOLOGY", Bookable: domain.DirectlyBookable, WaitDays: int(i % 30),
			Priorities: []domain.Priority{domain.Routine, domain.Urgent},
		})
	}
	d.services[1].Bookable = domain.IndirectlyBookable
	d.put(fakeUBRN, "A81001")
	return d
}

func (d *fakeDesk) put(ubrn domain.UBRN, referrer string) *domain.Referral {
	r := &domain.Referral{UBRN: ubrn, Version: 1, State: domain.NotBooked, Referrer: referrer, Provider: "RR8", Priority: domain.Routine, Specialty: "CARDIOLOGY",
		Patient: "9999999999", Created: d.now, Updated: d.now}
	for _, s := range d.services[:3] {
		r.Shortlist = append(r.Shortlist, domain.ShortlistEntry{ServiceID: s.ID, Name: s.Name})
	}
	d.referrals[ubrn] = r
	return r
}

func (d *fakeDesk) slot(id int64) (domain.Slot, bool) {
	service, n := id/1000, id%1000
	if service < 1000 || service >= 1040 || n >= 168 {
		return domain.Slot{}, false
	}
	day := time.Date(d.now.Year(), d.now.Month(), d.now.Day()+1+int(n/12), 9, 0, 0, 0, time.UTC)
	start := day.Add(time.Duration(n%12) * 20 * time.Minute)
	return domain.Slot{ID: id, ServiceID: service, Start: start, End: start.Add(20 * time.Minute), Free: !d.taken[id]}, true
}

func (d *fakeDesk) Services(_ context.Context, who domain.Caller, q flow.ServiceQuery) ([]domain.Service, error) {
	if q.Specialty != "CARDIOLOGY" {
		return nil, who.May(domain.ActSearch)
	}
	return d.services[:20], who.May(domain.ActSearch)
}

func (d *fakeDesk) Service(_ context.Context, id int64) (domain.Service, error) {
	if id < 1000 || id >= 1040 {
		return domain.Service{}, domain.ErrNotFound
	}
	return d.services[id-1000], nil
}

func (d *fakeDesk) Slots(_ context.Context, _ domain.Caller, q flow.SlotQuery) (flow.SlotPage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	page := flow.SlotPage{Page: q.Page}
	for n := range int64(168) {
		slot, _ := d.slot(q.Service*1000 + n)
		if slot.Free && !slot.Start.Before(q.From) && slot.Start.Before(q.To) {
			page.Slots = append(page.Slots, slot)
		}
	}
	page.Total = len(page.Slots)
	page.Slots = page.Slots[min((q.Page-1)*q.Count, page.Total):min(q.Page*q.Count, page.Total)]
	return page, nil
}

func (d *fakeDesk) Slot(_ context.Context, _ domain.Caller, id int64) (domain.Slot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slot, ok := d.slot(id)
	if !ok {
		return slot, domain.ErrNotFound
	}
	return slot, nil
}

func (d *fakeDesk) SignIn(_ context.Context, ubrn domain.UBRN, code string) (domain.Caller, error) {
	if ubrn != fakeUBRN || code != fakeCode {
		return domain.Caller{}, domain.ErrSignIn
	}
	return domain.Caller{Application: "pages", Role: domain.PatientRole, UBRN: ubrn}, nil
}

func (d *fakeDesk) Refer(_ context.Context, who domain.Caller, key flow.Key, n flow.NewReferral) (flow.Created, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	const ubrn = domain.UBRN("000000080002")
	if len(n.Shortlist) == 0 {
		return flow.Created{}, &domain.InvalidError{Field: "shortlist", Want: "at least one service", Fix: "choose one"}
	}
	if seen, ok := d.keys[key.Value]; ok && key.Value != "" {
		if seen != key {
			return flow.Created{}, &domain.KeyConflictError{}
		}
		return flow.Created{Referral: d.referrals[ubrn]}, nil
	}
	d.keys[key.Value] = key
	d.shortlist = n.Shortlist
	return flow.Created{Referral: d.put(ubrn, who.Organisation), AccessCode: "wxyz-2345-6789"}, d.next
}

func (d *fakeDesk) Referral(_ context.Context, who domain.Caller, ubrn domain.UBRN) (*domain.Referral, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.referrals[ubrn]
	if !ok {
		return nil, domain.ErrNotFound
	}
	if err := who.Owns(r); err != nil {
		return nil, err
	}
	copied := *r
	return &copied, nil
}

func (d *fakeDesk) change(ubrn domain.UBRN, state domain.State, a domain.Appointment) *domain.Referral {
	r := d.referrals[ubrn]
	r.State, r.Version, r.Appointment = state, r.Version+1, &a
	return r
}

func (d *fakeDesk) Book(_ context.Context, _ domain.Caller, key flow.Key, b flow.BookSlot) (*domain.Referral, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen, ok := d.keys[key.Value]; ok {
		if seen != key {
			return nil, &domain.KeyConflictError{}
		}
		return d.referrals[b.UBRN], nil
	}
	slot, _ := d.slot(b.Slot)
	switch {
	case d.next != nil:
		return nil, d.next
	case !slot.Free:
		return nil, domain.ErrSlotGone
	}
	d.keys[key.Value] = key
	d.taken[b.Slot] = true
	d.booked++
	return d.change(b.UBRN, domain.Booked, domain.Appointment{ID: int64(d.booked), SlotID: b.Slot, ServiceName: d.services[b.Service-1000].Name, Start: slot.Start, State: domain.AppointmentBooked}), nil
}

func (d *fakeDesk) Defer(_ context.Context, _ domain.Caller, _ flow.Key, f flow.Deferral) (*domain.Referral, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next != nil {
		return nil, d.next
	}
	return d.change(f.UBRN, domain.DeferredToProvider, domain.Appointment{ID: 7, ServiceName: d.services[f.Service-1000].Name, State: domain.AppointmentDeferred}), nil
}

func (d *fakeDesk) CancelAppointment(_ context.Context, _ domain.Caller, id int64, _ int, _ domain.Reason) (*domain.Referral, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ubrn, r := range d.referrals {
		if r.Appointment != nil && r.Appointment.ID == id {
			cancelled := *r.Appointment
			cancelled.State = domain.AppointmentCancelled
			return d.change(ubrn, domain.CancelledByPatient, cancelled), d.next
		}
	}
	return nil, domain.ErrNotFound
}

func (d *fakeDesk) Worklist(_ context.Context, _ domain.Caller, q flow.WorklistQuery) ([]flow.WorklistItem, error) {
	if q.List == flow.AwaitingBooking {
		return nil, nil
	}
	item := flow.WorklistItem{Opened: d.now.AddDate(0, 0, -3), ContactBy: d.now.AddDate(0, 0, 37), Referral: domain.Referral{UBRN: fakeUBRN, State: domain.DeferredToProvider,
		Priority: domain.Routine, Appointment: &domain.Appointment{ServiceName: d.services[0].Name, State: domain.AppointmentDeferred}}}
	return []flow.WorklistItem{item, item, item}, nil
}
