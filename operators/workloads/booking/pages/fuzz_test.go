// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever is posted to a form, by somebody who holds a valid form token, the answer is a page that is not a fault and
// does not repeat what was sent unescaped.
func FuzzForms(f *testing.F) {
	f.Add("/sign-in", "ubrn=000000070003&code=x")
	f.Add("/services", "specialty=CARDIOLOGY&priority=ROUTINE&postcode=LS1&named=<script>")
	f.Add("/referrals", "nhs=9999999999&key=x")
	f.Add("/book", "ubrn=000000070003&version=1&slot=1000000&service=1000&key=k")
	f.Add("/cancel", "ubrn=000000070003&version=1&appointment=1&reason=PATIENT_ILL&comment=%ff")
	f.Add("/worklist/open", "ubrn=0000 0007 0003")
	f.Add("/shortlist", "add=1000&remove=")
	s := newSite(f) // one for all: making it costs a hundred times a request
	f.Fuzz(func(t *testing.T, path, body string) {
		values, err := url.ParseQuery(body)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#%") || url.PathEscape(path[1:]) != path[1:] {
			return
		}
		held := session{ID: newName(), Who: referrer, UBRN: fakeUBRN, Seen: testNow.Unix(), End: testNow.Unix() + 3600}
		cookie, err := s.cookie(held)
		if err != nil {
			t.Fatal(err)
		}
		values.Set("csrf", s.formToken(&held))
		r := httptest.NewRequest(http.MethodPost, "https://ers.example"+path, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s with %q: %d %s", path, body, w.Code, w.Body)
		}
	})
}

// Addresses are read by four pages: none of them may fail on one.
func FuzzAddresses(f *testing.F) {
	f.Add("service=1000&from=2026-03-24&page=1")
	f.Add("slot=1000000")
	f.Add("list=asi")
	s := newSite(f)
	f.Fuzz(func(t *testing.T, query string) {
		cookie, err := s.cookie(session{ID: newName(), Who: referrer, UBRN: fakeUBRN, Seen: testNow.Unix(), End: testNow.Unix() + 3600})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/slots", "/book", "/defer", "/worklist"} {
			r := httptest.NewRequest(http.MethodGet, "https://ers.example"+path, nil)
			r.URL.RawQuery = query
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			if s.ServeHTTP(w, r); w.Code >= 500 {
				t.Errorf("%s?%s: %d", path, query, w.Code)
			}
		}
	})
}

// No cookie that this key did not seal is a session.
func FuzzCookie(f *testing.F) {
	s := newSite(f)
	sealed, err := s.cookie(session{ID: "x", Seen: testNow.Unix(), End: testNow.Unix() + 3600})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed.Value[1:])
	f.Add("")
	f.Add(strings.Repeat("A", maxCookie))
	f.Fuzz(func(t *testing.T, value string) {
		if _, ok := s.open(value, testNow, testNow.Sub(testNow.AddDate(0, 0, -1))); ok && value != sealed.Value {
			t.Errorf("opened %q", value)
		}
	})
}
