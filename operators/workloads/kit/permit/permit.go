// SPDX-License-Identifier: Apache-2.0

// Package permit keeps a workload of two sites from doing clients' work unless its site's
// manager has said that this site is the one that serves. A site whose power comes back, or
// that is cut off, thus acknowledges nothing that another site does not know of.
package permit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/ops"
)

// maxBody of a permit, in bytes.
const maxBody = 4 << 10

// Permit is what the manager says.
type Permit struct {
	// Epoch of the site's vote. One lower than the last that was heard is refused.
	Epoch int64 `json:"epoch"`
	// Until when work may be acknowledged; absent: not at all, unless endless.
	Until *time.Time `json:"until,omitempty"`
	// Endless: until another permit says otherwise. What is acknowledged is then at both sites.
	Endless bool `json:"endless,omitempty"`
}

// Gate lets work through as the last permit says. It is safe for concurrent use.
type Gate struct {
	required bool
	now      func() time.Time
	mu       sync.Mutex
	last     Permit
}

// New makes a gate: closed until the first permit where one is required, open for ever elsewhere.
func New(required bool, now func() time.Time) *Gate { return &Gate{required: required, now: now} }

// Open says whether work may be acknowledged now.
func (g *Gate) Open() bool {
	if !g.required {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last.Endless || g.last.Until != nil && g.now().Before(*g.last.Until)
}

// Front keeps clients' requests out while the gate is closed, and an acknowledgement back that
// comes too late: what was stored meanwhile is sent again by its sender, and recognised.
func (g *Gate) Front(next http.Handler) http.Handler {
	if !g.required {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.Open() {
			refuse(w)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w = &late{ResponseWriter: w, gate: g}
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, "this site does not serve now: try again, by the service's name", http.StatusServiceUnavailable)
}

// late turns an answer that says "done" into a refusal when the gate has closed meanwhile.
type late struct {
	http.ResponseWriter
	gate           *Gate
	begun, refused bool
}

func (l *late) WriteHeader(status int) {
	if l.begun {
		return
	}
	l.begun = true
	if status < 400 && !l.gate.Open() {
		l.refused = true
		l.Header().Del("Content-Length")
		refuse(l.ResponseWriter)
		return
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *late) Write(body []byte) (int, error) {
	if !l.begun {
		l.WriteHeader(http.StatusOK)
	}
	if l.refused {
		return len(body), nil
	}
	return l.ResponseWriter.Write(body)
}

// Unwrap is for http.ResponseController.
func (l *late) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// ServeHTTP takes a permit, as the manager's path POST /permit.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var p Permit
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Epoch < 0 {
		ops.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": "expected {epoch: a whole number, until: a time, endless: true or false}"})
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.Epoch < g.last.Epoch {
		ops.WriteJSON(w, http.StatusConflict, map[string]string{"error": fmt.Sprintf("epoch %d is over: %d was heard of", p.Epoch, g.last.Epoch)})
		return
	}
	g.last = p
	ops.WriteJSON(w, http.StatusOK, map[string]int64{"epoch": p.Epoch})
}
