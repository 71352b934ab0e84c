// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

var (
	testNow  = time.Date(2026, 3, 24, 10, 0, 0, 0, time.UTC)
	london   = mustZone("Europe/London")
	referrer = domain.Caller{Application: "pages", User: "555000000001", Organisation: "A81001", Role: domain.ReferringClinician}
	provider = domain.Caller{Application: "pages", User: "555000000002", Organisation: "RR8", Role: domain.ProviderAdmin}
)

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// site is the pages over a fake desk, a clock that stands, and what was logged.
type site struct {
	*Handler
	desk *fakeDesk
	now  time.Time
	log  bytes.Buffer
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{desk: newFakeDesk(testNow), now: testNow}
	var err error
	s.Handler, err = New(s.desk, Config{
		Settings: func() Settings {
			return Settings{Title: "e-Referral Service", Zone: london, Idle: 20 * time.Minute, Longest: 4 * time.Hour, Attempts: 5, Lock: 15 * time.Minute}
		},
		Key: [32]byte{1, 2, 3},
		Tokens: func(raw string) (domain.Caller, time.Time, error) {
			switch raw {
			case "referrer":
				return referrer, s.now.Add(time.Hour), nil
			case "provider":
				return provider, s.now.Add(time.Hour), nil
			}
			return domain.Caller{}, time.Time{}, errors.New("not a token")
		},
		Now: func() time.Time { return s.now },
		Log: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// browser keeps a cookie, follows redirects and fills in forms as a person does: only fields that the page has.
type browser struct {
	t      *testing.T
	site   *site
	cookie *http.Cookie
	// gone: the server takes its requests for given up.
	gone bool
	// cut: of an answer, only the head comes through.
	cut bool
	// The page that is open.
	path   string
	status int
	header http.Header
	body   string
	page   *html.Node
}

func (s *site) browser(t *testing.T) *browser { return &browser{t: t, site: s} }

// send sends one request and follows redirects; every page on the way is checked for accessibility.
func (b *browser) send(method, path, form string) {
	b.t.Helper()
	for range 5 {
		r := httptest.NewRequest(method, "https://ers.example"+path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if b.cookie != nil {
			r.AddCookie(b.cookie)
		}
		if b.gone {
			ctx, cancel := context.WithCancel(r.Context())
			cancel()
			r = r.WithContext(ctx)
		}
		w := httptest.NewRecorder()
		b.site.ServeHTTP(w, r)
		answer := w.Result()
		for _, cookie := range answer.Cookies() {
			b.cookie = cookie
		}
		b.path, b.status, b.header, b.body = path, answer.StatusCode, answer.Header, w.Body.String()
		if b.cut {
			return
		}
		if b.status != http.StatusSeeOther {
			break
		}
		method, path, form = http.MethodGet, answer.Header.Get("Location"), ""
	}
	b.page = accessible(b.t, b.path, b.body)
}

func (b *browser) get(path string) { b.t.Helper(); b.send(http.MethodGet, path, "") }

// submit fills the form that posts to action. Fields are overwritten by name; press is "name=value" of the button.
func (b *browser) submit(action string, fields ...string) {
	b.t.Helper()
	values, ok := formValues(b.page, action, fields)
	if !ok {
		b.t.Fatalf("no form of %s on %s has the fields %q:\n%s", action, b.path, fields, b.body)
	}
	b.send(http.MethodPost, action, values.Encode())
}

// want checks the page that is open.
func (b *browser) want(status int, path string, texts ...string) {
	b.t.Helper()
	if b.status != status || b.path != path {
		b.t.Fatalf("at %s with %d, want %s with %d:\n%s", b.path, b.status, path, status, b.body)
	}
	for _, text := range texts {
		if !strings.Contains(b.body, html.EscapeString(text)) && !strings.Contains(b.body, text) {
			b.t.Fatalf("%s does not say %q:\n%s", b.path, text, b.body)
		}
	}
}

// signIn signs the patient in, or staff when role is "referrer" or "provider".
func (b *browser) signIn(role string) {
	b.t.Helper()
	if role == "patient" {
		b.get("/")
		b.submit("/sign-in", "ubrn="+fakeUBRN.Spaced(), "code="+fakeCode)
		b.want(200, "/referral")
		return
	}
	b.get("/staff")
	b.submit("/staff/sign-in", "token="+role)
	b.want(200, "/worklist")
}

// formValues are the values that a browser would send for the first form of action that has all the fields.
func formValues(page *html.Node, action string, fields []string) (url.Values, bool) {
	for form := range elements(page, "form") {
		if attribute(form, "action") != action {
			continue
		}
		values, offered := url.Values{}, map[string]bool{}
		for control := range form.Descendants() {
			name := attribute(control, "name")
			if name == "" {
				continue
			}
			if control.Data == "button" || attribute(control, "type") == "radio" {
				offered[name+"="+attribute(control, "value")] = true
				continue
			}
			offered[name] = true
			values.Set(name, attribute(control, "value"))
		}
		fits := true
		for _, field := range fields {
			name, value, _ := strings.Cut(field, "=")
			fits = fits && (offered[name] || offered[field])
			values.Set(name, value)
		}
		if fits {
			return values, true
		}
	}
	return nil, false
}
