// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

func TestAPatientBooksChangesAndCancels(t *testing.T) {
	b := newSite(t).browser(t)
	b.signIn("patient")
	b.want(200, "/referral", "0000 0007 0003", "Not booked yet", "Book by telephone with the provider")
	b.get("/slots?service=1000")
	// 29 March 2026 is when the clocks change: 09:00 UTC is 9am before and 10am after.
	b.want(200, "/slots?service=1000", "24 March to 30 March 2026", "Wednesday 25 March", "9am", "midday", "Monday 30 March", "10am")
	if strings.Contains(b.body, "Earlier dates") {
		t.Error("a way to the past")
	}
	b.get("/book?slot=1000000")
	b.want(200, "/book?slot=1000000", "Confirm your appointment", "Wednesday 25 March 2026", "9am to 9:20am")
	b.submit("/book")
	b.want(200, "/booked", "Appointment booked", "0000 0007 0003", "Wednesday 25 March 2026")
	b.get("/referral")
	b.want(200, "/referral", "Change the appointment", "Cancel this appointment")
	b.get("/book?slot=1000001")
	b.want(200, "/book?slot=1000001", "Confirm the change", "It replaces this appointment", "9:20am")
	b.submit("/book")
	b.want(200, "/booked", "9:20am")
	b.get("/cancel")
	b.submit("/cancel", "reason=PATIENT_APPOINTMENT_CANCELLATION_OTHER")
	b.want(400, "/cancel", "There is a problem", "Say a little more")
	b.submit("/cancel", "reason=PATIENT_ILL", "comment=")
	b.want(200, "/referral", "It is cancelled", "book another one")
	b.get("/referral")
	if strings.Contains(b.body, "It is cancelled") {
		t.Error("a notice is said twice")
	}
	b.submit("/sign-out")
	b.want(200, "/", "Manage your referral")
	b.get("/referral")
	b.want(200, "/", "Manage your referral")
}

func TestAReferrerSearchesShortlistsRefersAndBooks(t *testing.T) {
	b := newSite(t).browser(t)
	b.signIn("referrer")
	b.want(200, "/worklist", "Rejected: 3 referrals", "21 Mar 2026")
	b.get("/services")
	b.submit("/services", "postcode=?")
	b.want(400, "/services", "Choose a specialty", "Choose a priority", "Enter a postcode")
	b.submit("/services", "specialty=CARDIOLOGY", "priority=ROUTINE", "postcode=ls1 4ap")
	b.want(200, "/services", "20 services found", "Cardiology clinic 0 <Leeds & Bradford>", "LS1 4AP")
	b.submit("/shortlist", "add=1000")
	b.want(200, "/services", "Added to the shortlist", "On your shortlist", "1 service")
	b.submit("/shortlist", "add=1002")
	b.get("/shortlist")
	b.submit("/shortlist", "remove=1002")
	b.want(200, "/shortlist", "Create the referral")
	b.submit("/referrals", "nhs=9999999998")
	b.want(400, "/referrals", "NHS number as PDS shows it")
	if strings.Contains(b.body, "9999999998") {
		t.Error("an NHS number is repeated in a page")
	}
	b.submit("/referrals", "nhs=999 999 9999")
	b.want(200, "/referral", "wxyz-2345-6789", "0000 0008 0002")
	b.get("/referral")
	if strings.Contains(b.body, "wxyz-2345-6789") {
		t.Error("the access code is shown twice")
	}
	b.get("/defer?service=1000")
	b.submit("/defer")
	b.want(200, "/booked", "The provider will contact you")
	b.get("/worklist?list=awaiting")
	b.want(200, "/worklist?list=awaiting", "nothing is waiting")
	b.submit("/worklist/open", "ubrn=12")
	b.want(400, "/worklist/open", "Enter the 12 digits")
	b.submit("/worklist/open", "ubrn=0000 0007 0003")
	b.want(200, "/referral", "0000 0007 0003")
}

func TestAProviderSeesWhatWaitsAndMayNotBook(t *testing.T) {
	b := newSite(t).browser(t)
	b.signIn("provider")
	b.want(200, "/worklist", "Appointment slot issues: 3 referrals", "30 Apr 2026")
	b.get("/services")
	b.want(403, "/services", "You may not see this")
	b.get("/referral")
	b.want(200, "/worklist")
	b.submit("/worklist/open", "ubrn="+string(fakeUBRN))
	b.want(200, "/referral")
	if strings.Contains(b.body, "See free times") {
		t.Error("a provider is offered to book")
	}
}

func TestADoubleClickBooksOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.signIn("patient")
	b.get("/book?slot=1000000")
	values, _ := formValues(b.page, "/book", nil)
	for range 2 {
		b.send(http.MethodPost, "/book", values.Encode())
		b.want(200, "/booked", "Appointment booked")
	}
	if s.desk.booked != 1 {
		t.Errorf("booked %d times", s.desk.booked)
	}
	values.Set("slot", "1000001")
	b.send(http.MethodPost, "/book", values.Encode())
	b.want(409, "/book", "The referral has changed")
}

// The head of an answer, with its cookie, may come through and the rest not: the form is sent again, under the new cookie.
func TestAReferralWhoseAnswerIsCutOffIsMadeOnce(t *testing.T) {
	b := newSite(t).browser(t)
	b.signIn("referrer")
	b.get("/services")
	b.submit("/services", "specialty=CARDIOLOGY", "priority=ROUTINE", "postcode=ls1 4ap")
	b.submit("/shortlist", "add=1000")
	b.get("/shortlist")
	values, _ := formValues(b.page, "/referrals", nil)
	values.Set("nhs", "9999999999")
	b.cut = true
	b.send(http.MethodPost, "/referrals", values.Encode())
	b.cut = false
	b.send(http.MethodPost, "/referrals", values.Encode())
	b.want(200, "/referral", "The referral is created", "wxyz-2345-6789")
	b.send(http.MethodPost, "/referrals", values.Encode())
	b.want(200, "/referral", "created by an earlier click")
	if strings.Contains(b.body, "wxyz-2345-6789") {
		t.Error("the access code is shown twice")
	}
	// The next referral has been begun: the old form changes nothing of it.
	b.get("/services")
	b.submit("/shortlist", "add=1002")
	b.send(http.MethodPost, "/referrals", values.Encode())
	b.want(200, "/referral", "created by an earlier click")
	b.get("/shortlist")
	b.want(200, "/shortlist", "Cardiology clinic 2")
	values.Set("nhs", "9999999964")
	b.send(http.MethodPost, "/referrals", values.Encode())
	b.want(409, "/referrals")
}

func TestAFormWithoutAKeyTakesTheShortlistOfNow(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.signIn("referrer")
	for _, add := range []string{"1000", "1002"} {
		b.get("/services")
		b.submit("/services", "specialty=CARDIOLOGY", "priority=ROUTINE", "postcode=ls1 4ap")
		b.submit("/shortlist", "add="+add)
		b.get("/shortlist")
		values, _ := formValues(b.page, "/referrals", nil)
		values.Set("nhs", "9999999999")
		values.Del("key")
		b.send(http.MethodPost, "/referrals", values.Encode())
		b.want(200, "/referral", "The referral is created")
		if got := fmt.Sprint(s.desk.shortlist); got != "["+add+"]" {
			t.Errorf("referred to %s, want %s", got, add)
		}
	}
}

func TestATakenSlotLeadsToAnotherOne(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.signIn("patient")
	b.get("/book?slot=1000000")
	s.desk.taken[1000000] = true
	b.submit("/book")
	b.want(409, "/book", "This time has just been taken", `href="/slots?service=1000"`)
	b.get("/book?slot=1000000")
	b.want(409, "/book?slot=1000000", `href="/slots?service=1000&amp;from=2026-03-25"`)
}

// Two tabs share a session: the form of the first must not act on the referral of the second.
func TestAFormActsOnTheReferralItWasMadeFor(t *testing.T) {
	s := newSite(t)
	s.desk.put("000000090001", "A81001")
	b := s.browser(t)
	b.signIn("referrer")
	b.submit("/worklist/open", "ubrn="+string(fakeUBRN))
	b.get("/book?slot=1000000")
	values, _ := formValues(b.page, "/book", nil)
	b.get("/worklist")
	b.submit("/worklist/open", "ubrn=000000090001")
	b.send(http.MethodPost, "/book", values.Encode())
	b.want(409, "/book", "Another referral is open now")
	if s.desk.booked != 0 {
		t.Error("booked for another patient")
	}
}

func TestErrorsNameARemedy(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		text   string
		retry  string
	}{
		"under way":       {domain.ErrInProgress, 409, "A booking is under way", ""},
		"changed":         {&domain.VersionError{Want: 1, Current: 2}, 409, "The referral has changed", ""},
		"wrong state":     {&domain.StateError{State: domain.Booked, Event: domain.EventBook}, 409, "The referral has changed", ""},
		"a rule":          {&domain.RuleError{Code: "X", Why: "this service is closed: choose another"}, 409, "this service is closed", ""},
		"provider silent": {domain.ErrProviderSilent, 503, "The appointment that you have stands", "60"},
		"busy":            {fmt.Errorf("wrapped: %w", &domain.OverloadedError{RetryAfter: 1500 * time.Millisecond}), 503, "Wait a few seconds", "2"},
		"given up":        {fmt.Errorf("wrapped: %w", context.Canceled), 503, "nothing is done twice", "1"},
		"closing":         {errors.Join(&domain.OverloadedError{RetryAfter: time.Second}, domain.ErrClosing), 503, "It takes no new bookings", ""},
		"not theirs":      {&domain.ForbiddenError{Why: "secret reason"}, 403, "You may not see this", ""},
		"unusable":        {domain.InvalidErrors{{Field: "slot", Want: "a slot", Fix: "choose one"}}, 400, "choose one", ""},
		"unknown":         {domain.ErrNotFound, 404, "Page not found", ""},
		"a fault":         {errors.New("patient data"), 500, "The service has a fault", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser(t)
			b.signIn("patient")
			b.get("/book?slot=1000000")
			s.desk.next = c.err
			b.submit("/book")
			b.want(c.status, "/book", c.text)
			if got := b.header.Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After %q, want %q", got, c.retry)
			}
			if strings.Contains(b.body, "patient data") || strings.Contains(b.body, "secret reason") {
				t.Error("the page shows the inside of an error")
			}
		})
	}
}

func TestWrongAddresses(t *testing.T) {
	b := newSite(t).browser(t)
	b.signIn("patient")
	for path, status := range map[string]int{
		"/nothing": 404, "/slots": 404, "/slots?service=x": 404, "/slots?service=1": 404, "/slots?service=-1": 404,
		"/slots?service=1000&from=yesterday": 404, "/slots?service=1000&from=9999-01-01": 404, "/slots?service=1000&page=0": 404,
		"/slots?service=1000&from=2020-01-01": 200, "/slots?service=1000&page=2": 200, "/book?slot=5": 404, "/book": 404, "/defer": 404,
		"/worklist": 403, "/services": 403, "/shortlist": 403,
	} {
		b.get(path)
		b.want(status, path)
	}
}

func TestGuessingAccessCodesIsSlowedDown(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.get("/")
	for range 5 {
		b.submit("/sign-in", "ubrn="+string(fakeUBRN), "code=wrong")
		b.want(400, "/sign-in", "The booking reference or the access code is wrong")
	}
	b.submit("/sign-in", "ubrn="+string(fakeUBRN), "code="+fakeCode)
	b.want(429, "/sign-in", "Try again in 15 minutes")
	if b.header.Get("Retry-After") != "900" {
		t.Errorf("Retry-After %q", b.header.Get("Retry-After"))
	}
	b.get("/")
	b.submit("/sign-in", "ubrn=000000070011", "code=wrong")
	b.want(400, "/sign-in") // another referral is not locked
	s.now = s.now.Add(15 * time.Minute)
	b.get("/")
	b.submit("/sign-in", "ubrn="+string(fakeUBRN), "code="+fakeCode)
	b.want(200, "/referral")
}

func TestSessionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		role  string
		step  time.Duration // between visits
		steps int
		ended bool
	}{
		"in use":                 {"patient", 19 * time.Minute, 10, false},
		"idle":                   {"patient", 20 * time.Minute, 1, true},
		"at its longest":         {"patient", 19 * time.Minute, 13, true},
		"with the staff's token": {"referrer", 19 * time.Minute, 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser(t)
			b.signIn(c.role)
			home := b.path
			for range c.steps {
				s.now = s.now.Add(c.step)
				b.get(home)
			}
			if ended := b.path == "/"; ended != c.ended {
				t.Errorf("at %s", b.path)
			}
		})
	}
}

func TestFormsFromElsewhereAreRefused(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.signIn("patient")
	b.get("/book?slot=1000000")
	values, _ := formValues(b.page, "/book", nil)
	post := func(site string, change func(r *http.Request)) int {
		r := httptest.NewRequest(http.MethodPost, "https://ers.example/book", strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		r.AddCookie(b.cookie)
		change(r)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	none := func(*http.Request) {}
	if got := post("cross-site", none); got != 403 {
		t.Errorf("from another site: %d", got)
	}
	other := s.browser(t)
	other.signIn("patient")
	if got := post("same-origin", func(r *http.Request) { r.Header.Del("Cookie"); r.AddCookie(other.cookie) }); got != 403 {
		t.Errorf("with the token of another session: %d", got)
	}
	tampered := *b.cookie
	tampered.Value = tampered.Value[:len(tampered.Value)-2] + "AA"
	if got := post("same-origin", func(r *http.Request) { r.Header.Del("Cookie"); r.AddCookie(&tampered) }); got != 403 {
		t.Errorf("with a changed cookie: %d", got)
	}
	values.Set("comment", strings.Repeat("x", maxForm))
	if got := post("same-origin", none); got != 413 {
		t.Errorf("with too long a body: %d", got)
	}
	values.Del("comment")
	if s.desk.booked != 0 {
		t.Fatal("one of them booked")
	}
	if got := post("same-origin", none); got != 303 {
		t.Errorf("from the page itself: %d", got)
	}
}

// Every answer is kept out of caches and frames, and no address or log line names a patient.
func TestHeadersAddressesAndLogsAreClean(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	visit := func() {
		t.Helper()
		if got := b.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; style-src 'self'; form-action 'self'") {
			t.Errorf("%s: policy %q", b.path, got)
		}
		if b.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", b.path)
		}
		for link := range elements(b.page, "a") {
			if regexp.MustCompile(`\d{10}|LS1`).MatchString(attribute(link, "href")) {
				t.Errorf("%s links to %s", b.path, attribute(link, "href"))
			}
		}
	}
	b.signIn("patient")
	visit()
	if !b.cookie.Secure || !b.cookie.HttpOnly || b.cookie.SameSite != http.SameSiteStrictMode || !strings.HasPrefix(b.cookie.Name, "__Host-") {
		t.Errorf("cookie %+v", b.cookie)
	}
	for _, path := range []string{"/slots?service=1000", "/book?slot=1000000", "/defer?service=1000"} {
		b.get(path)
		visit()
	}
	s.desk.next = errors.New("boom")
	b.submit("/defer")
	b.want(500, "/defer")
	visit()
	if logged := s.log.String(); !strings.Contains(logged, "boom") || strings.Contains(logged, string(fakeUBRN)) || strings.Contains(logged, "0000 0007") {
		t.Errorf("logged %s", logged)
	}
}

// A browser asks for icons and the like beside a page: the answer must not replace the session that a form was made in.
func TestAWrongAddressBeginsNoSession(t *testing.T) {
	w := httptest.NewRecorder()
	newSite(t).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://ers.example/favicon.ico", nil))
	if w.Code != 404 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%d %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}

func TestTheStyleIsKeptForGood(t *testing.T) {
	s := newSite(t)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://ers.example"+s.stylePath, nil))
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// A server takes a visitor for gone by what it sees of the connection; what it then leaves unsaid is a 200.
func TestAnAnswerThatNobodyWaitsForIsNoSuccess(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.signIn("patient")
	b.get("/book?slot=1000000")
	s.desk.next = context.Canceled
	b.gone = true
	b.submit("/book")
	b.want(503, "/book", "nothing is done twice")
}
