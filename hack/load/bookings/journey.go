// SPDX-License-Identifier: Apache-2.0

package bookings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// A journey is a list of steps of one page each; every step names the one after it.

func (u *user) staffPage(ctx context.Context, start time.Time) error {
	u.next = u.signIn
	return u.show(ctx, start, "/staff")
}

func (u *user) signIn(ctx context.Context, start time.Time) error {
	u.next = u.searchPage
	form := url.Values{"csrf": {u.csrf}, "token": {u.token}}
	return u.ask(ctx, start, "/staff/sign-in", form, func(a answer) error {
		if a.status != 303 {
			return &statusError{"/staff/sign-in", a.status}
		}
		return nil
	})
}

func (u *user) searchPage(ctx context.Context, start time.Time) error {
	u.next = u.search
	return u.show(ctx, start, "/services")
}

func (u *user) search(ctx context.Context, start time.Time) error {
	u.next = u.results
	u.ubrn, u.held, u.asked = 0, 0, map[uint64]bool{}
	form := url.Values{"specialty": {one(u, specialties)}, "priority": {"ROUTINE"}, "postcode": {""}, "named": {""}}
	return u.send(ctx, start, "/services", form, "/services")
}

func (u *user) results(ctx context.Context, start time.Time) error {
	u.next = u.choose
	return u.show(ctx, start, "/services")
}

// choose takes one of the first services, so that users get into each other's way.
func (u *user) choose(ctx context.Context, start time.Time) error {
	u.next = u.shortlist
	found := u.seen.buttons("/shortlist", "add")
	if len(found) == 0 {
		u.next = u.search
		return u.show(ctx, start, "/services")
	}
	form := url.Values{"add": {one(u, found[:min(len(found), u.options.Services)])}}
	return u.ask(ctx, start, "/shortlist", with(form, u.csrf), func(a answer) error {
		if a.status != 303 {
			return &statusError{"/shortlist", a.status}
		}
		return nil
	})
}

func with(form url.Values, csrf string) url.Values {
	form.Set("csrf", csrf)
	return form
}

func (u *user) shortlist(ctx context.Context, start time.Time) error {
	u.next = u.refer
	return u.show(ctx, start, "/shortlist")
}

func (u *user) refer(ctx context.Context, start time.Time) error {
	u.next = u.referral
	f, ok := u.seen.form("/referrals")
	if !ok {
		return errUnexpected
	}
	form := url.Values{"key": {f.hidden["key"]}, "nhs": {nhsNumber(u.random)}, "priority": {"ROUTINE"}}
	return u.send(ctx, start, "/referrals", form, "/referral")
}

func (u *user) referral(ctx context.Context, start time.Time) error {
	u.next = u.slots
	return u.show(ctx, start, "/referral")
}

// slots follows the referral's link to a service, or the slots' own to later dates.
func (u *user) slots(ctx context.Context, start time.Time) error {
	u.next = u.confirm
	links := u.linked("/slots?")
	if len(links) == 0 {
		u.next = u.worklist
		return u.show(ctx, start, "/referral")
	}
	return u.show(ctx, start, links[len(links)-1])
}

func (u *user) linked(prefix string) []string {
	var out []string
	for _, link := range u.seen.links {
		if strings.HasPrefix(link, prefix) {
			out = append(out, link)
		}
	}
	return out
}

// confirm chooses one of the free slots.
func (u *user) confirm(ctx context.Context, start time.Time) error {
	free := slices.DeleteFunc(u.linked("/book?"), func(link string) bool { return u.asked[slotIn(link)] })
	if len(free) == 0 {
		u.next = u.confirm
		later := u.linked("/slots?")
		if len(later) == 0 {
			u.next = u.worklist
			return u.show(ctx, start, "/referral")
		}
		return u.show(ctx, start, later[len(later)-1])
	}
	u.next = u.book
	return u.gone(u.show(ctx, start, one(u, free[:min(len(free), u.options.Slots)])))
}

// slotIn returns the slot that a link books; 0 when it says none.
func slotIn(link string) uint64 {
	parsed, err := url.Parse(link)
	if err != nil {
		return 0
	}
	slot, _ := strconv.ParseUint(parsed.Query().Get("slot"), 10, 64)
	return slot
}

// gone turns "somebody else has the slot" into another look at the slots.
func (u *user) gone(err error) error {
	var status *statusError
	if errors.As(err, &status) && status.status == 409 {
		u.next = u.again
		return nil
	}
	return err
}

func (u *user) again(ctx context.Context, start time.Time) error {
	u.next = u.slots
	return u.show(ctx, start, "/referral")
}

// book sends the confirmation. A retry repeats the form with its key, so the service can tell.
func (u *user) book(ctx context.Context, start time.Time) error {
	u.next = u.booked
	f, ok := u.seen.form("/book")
	if !ok {
		return errUnexpected
	}
	form := f.values()
	ubrn, ubrnErr := strconv.ParseUint(form.Get("ubrn"), 10, 64)
	slot, slotErr := strconv.ParseUint(form.Get("slot"), 10, 64)
	if ubrnErr != nil || slotErr != nil {
		return errUnexpected
	}
	u.ubrn, u.slot, u.bookedFrom, u.attempt = ubrn, slot, start, 0
	u.asked[slot] = true
	if u.held != 0 {
		// A change ends the booking that there is, at a time that only the service knows.
		if err := u.write(record.Cancelling, u.held, time.Time{}); err != nil {
			return &recordError{err}
		}
	}
	err := u.send(ctx, start, "/book", form, "/booked")
	var status *statusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status) && status.status < 500 && status.status != 429:
		kind := record.Refused
		if u.attempt > 1 {
			// A try before this one may have booked it, or still be about to.
			kind = record.Ambiguous
		}
		if err := u.write(kind, slot, start); err != nil {
			return &recordError{err}
		}
		return u.gone(err)
	}
	if writeErr := u.write(record.Ambiguous, slot, start); writeErr != nil {
		return &recordError{writeErr}
	}
	return err
}

// confirmed is what the last page says when the slot is booked, rather than left to the provider to arrange.
var confirmed = []byte("Write down the date and the booking reference")

func (u *user) booked(ctx context.Context, start time.Time) error {
	u.next = u.worklist
	isBooked := false
	if err := u.ask(ctx, start, "/booked", nil, func(a answer) error {
		isBooked = bytes.Contains(a.body, confirmed)
		if a.status != 200 {
			return &statusError{"/booked", a.status}
		}
		return nil
	}); err != nil {
		if writeErr := u.write(record.Ambiguous, u.slot, u.bookedFrom); writeErr != nil {
			return &recordError{writeErr}
		}
		return err
	}
	if !isBooked {
		return nil
	}
	if err := u.write(record.Acknowledged, u.slot, u.bookedFrom); err != nil {
		return &recordError{err}
	}
	if u.held != 0 {
		if err := u.write(record.Cancelled, u.held, time.Time{}); err != nil {
			return &recordError{err}
		}
	}
	u.held = u.slot
	switch chance := u.random.Float64(); {
	case chance < u.options.Cancel:
		u.next = u.cancelPage
	case chance < u.options.Cancel+u.options.Rebook:
		u.next = u.again
	}
	return nil
}

func (u *user) cancelPage(ctx context.Context, start time.Time) error {
	u.next = u.cancel
	return u.show(ctx, start, "/cancel")
}

func (u *user) cancel(ctx context.Context, start time.Time) error {
	u.next = u.worklist
	f, ok := u.seen.form("/cancel")
	if !ok {
		return errUnexpected
	}
	form := f.values()
	form.Set("reason", "PATIENT_ILL")
	form.Set("comment", "")
	if err := u.write(record.Cancelling, u.held, time.Time{}); err != nil {
		return &recordError{err}
	}
	if err := u.send(ctx, start, "/cancel", form, "/referral"); err != nil {
		return err
	}
	if err := u.write(record.Cancelled, u.held, time.Time{}); err != nil {
		return &recordError{err}
	}
	return nil
}

func (u *user) worklist(ctx context.Context, start time.Time) error {
	u.next = u.otherList
	return u.show(ctx, start, "/worklist")
}

// otherList follows one of the tabs, which depend on the user's role.
func (u *user) otherList(ctx context.Context, start time.Time) error {
	u.next = u.search
	tabs := u.linked("/worklist?")
	if len(tabs) == 0 {
		return errUnexpected
	}
	return u.show(ctx, start, one(u, tabs))
}

// recordError says that the record could not be written: nothing that is done after it proves anything.
type recordError struct{ error }

func (e *recordError) Error() string { return fmt.Sprintf("the record: %v", e.error) }
