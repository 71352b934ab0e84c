// SPDX-License-Identifier: Apache-2.0

package permit

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func give(g *Gate, body string) int {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/permit", strings.NewReader(body)))
	return w.Code
}

func TestGate(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		required bool
		permits  []string
		answer   int
		open     bool
	}{
		"not required":                   {open: true},
		"before the first permit":        {required: true},
		"until later":                    {true, []string{`{"epoch":1,"until":"2026-11-21T03:00:01Z"}`}, 200, true},
		"until now":                      {true, []string{`{"epoch":1,"until":"2026-11-21T03:00:00Z"}`}, 200, false},
		"without an end":                 {true, []string{`{"epoch":1,"endless":true}`}, 200, true},
		"taken back":                     {true, []string{`{"epoch":1,"endless":true}`, `{"epoch":1}`}, 200, false},
		"of an epoch that is over":       {true, []string{`{"epoch":2}`, `{"epoch":1,"endless":true}`}, 409, false},
		"that cannot be read":            {true, []string{`{"epoch":1,"forever":true}`}, 400, false},
		"that cannot be read, after one": {true, []string{`{"epoch":1,"endless":true}`, `{`}, 400, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(c.required, func() time.Time { return now })
			for i, p := range c.permits {
				if code := give(g, p); i == len(c.permits)-1 && code != c.answer {
					t.Errorf("answer %d, expected %d", code, c.answer)
				}
			}
			if g.Open() != c.open {
				t.Errorf("open: %t", g.Open())
			}
		})
	}
}

func TestFront(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	g := New(true, func() time.Time { return now })
	took := time.Duration(0)
	front := g.Front(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now = now.Add(took)
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte("safe"))
	}))
	ask := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		front.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		return w
	}
	if w := ask(http.MethodPost); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("closed: got %d", w.Code)
	}
	give(g, `{"epoch":1,"until":"2026-11-21T03:00:10Z"}`)
	if w := ask(http.MethodPost); w.Code != http.StatusAccepted || w.Body.String() != "safe" {
		t.Errorf("open: got %d %q", w.Code, w.Body)
	}
	// The permit ends while the work is done: its sender is not told that it is safe.
	took = 11 * time.Second
	if w := ask(http.MethodPost); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "safe") {
		t.Errorf("ended meanwhile: got %d %q", w.Code, w.Body)
	}
}

func FuzzPermit(f *testing.F) {
	f.Add(`{"epoch":1,"until":"2026-11-21T03:00:10Z","endless":true}`)
	f.Add(`{"epoch":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		g := New(true, time.Now)
		if code := give(g, body); code != http.StatusOK && g.Open() {
			t.Errorf("a refused permit opened the gate: %q", body)
		}
	})
}
