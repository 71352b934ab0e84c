// SPDX-License-Identifier: Apache-2.0

package bookings

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// user is one member of staff at a browser. It does one page at a time.
type user struct {
	number  uint16
	token   string
	browser *browser
	random  *rand.Rand
	record  *record.Writer
	pages   *stats.Meter
	options *Options

	// next is the step that the user does when the next page is due.
	next func(context.Context, time.Time) error
	// csrf is what the session's forms carry.
	csrf string
	seen *page
	// ubrn, slot and form are those of the booking that is under way; held is the slot that the referral has.
	ubrn, slot, held uint64
	// asked are the slots that it was ever asked to be booked into: none is asked for again, so that the record of a slot
	// and a referral is of one booking.
	asked      map[uint64]bool
	bookedFrom time.Time
	attempt    uint8
}

// specialties are those that services are offered in.
var specialties = []string{"CARDIOLOGY", "DERMATOLOGY", "EAR_NOSE_AND_THROAT", "GASTROENTEROLOGY", "GYNAECOLOGY", "NEUROLOGY",
	"OPHTHALMOLOGY", "ORTHOPAEDICS", "RESPIRATORY_MEDICINE", "RHEUMATOLOGY", "UROLOGY"}

// errUnexpected: a page lacks what the user needs of it.
var errUnexpected = errors.New("the page lacks what comes next")

// show asks for a page and reads it.
func (u *user) show(ctx context.Context, start time.Time, path string) error {
	return u.ask(ctx, start, path, nil, func(a answer) error {
		if a.status != 200 {
			return &statusError{path, a.status}
		}
		p, err := parsePage(a.body)
		if err != nil {
			return err
		}
		u.seen = p
		for _, f := range p.forms {
			if token := f.hidden["csrf"]; token != "" {
				u.csrf = token
			}
		}
		return nil
	})
}

// send sends a form, which leads to another page.
func (u *user) send(ctx context.Context, start time.Time, path string, form url.Values, to string) error {
	form.Set("csrf", u.csrf)
	return u.ask(ctx, start, path, form, func(a answer) error {
		if a.status != 303 || !leadsTo(a.location, to) {
			return &statusError{path, a.status}
		}
		return nil
	})
}

func leadsTo(location, path string) bool {
	location, _, _ = strings.Cut(location, "?")
	return location == path
}

// ask makes a request until it has a clear answer, and counts it as one page from its intended start.
func (u *user) ask(ctx context.Context, start time.Time, path string, form url.Values, read func(answer) error) error {
	giveUp, wait := time.Now().Add(u.options.RetryFor), firstWait
	for {
		var a answer
		var err error
		if form == nil {
			a, err = u.browser.get(ctx, path)
		} else {
			u.attempt++
			a, err = u.browser.post(ctx, path, form)
		}
		if err == nil && !a.open() {
			err = read(a)
			kind := record.Acknowledged
			var status *statusError
			if err != nil && !(errors.As(err, &status) && status.status == 409) {
				kind = record.Refused
				u.pages.Refusal(err.Error())
			}
			u.pages.Count([]record.Event{{Kind: kind, Start: start.UnixNano(), At: time.Now().UnixNano()}})
			return err
		}
		if err == nil {
			err = &statusError{path, a.status}
		}
		if ctx.Err() != nil || time.Now().After(giveUp) {
			u.pages.Count([]record.Event{{Kind: record.Ambiguous}})
			return err
		}
		pushedBack := 0
		if a.status == 429 || a.status == 503 {
			pushedBack = 1
		}
		u.pages.Trouble(1-pushedBack, pushedBack, err.Error())
		pause(ctx, max(wait, a.wait))
		wait = min(2*wait, longestWait)
	}
}

// Retries wait twice as long each time, from the first to the longest of these.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 2 * time.Second
)

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// write keeps a booking's event.
func (u *user) write(kind record.Kind, slot uint64, start time.Time) error {
	e := record.Event{Key: record.SlotKey(slot), Kind: kind, Attempt: u.attempt, Party: u.number, At: time.Now().UnixNano(), Ref: u.ubrn}
	if !start.IsZero() {
		e.Start = start.UnixNano()
	}
	return u.record.Write([]record.Event{e})
}

// one picks at random.
func one[T any](u *user, all []T) T { return all[u.random.IntN(len(all))] }

// nhsNumber makes a number of the range that is kept for tests (999), with its check digit.
func nhsNumber(random *rand.Rand) string {
	for {
		digits := "999" + strconv.Itoa(100_000+random.IntN(900_000))
		sum := 0
		for i, d := range digits {
			sum += int(d-'0') * (10 - i)
		}
		if check := (11 - sum%11) % 11; check != 10 {
			return digits + strconv.Itoa(check)
		}
	}
}
