// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

// providers is 3,000 services of 103 systems: 100 that work, one that is slow, one that never answers, and one that lies.
// It is an HTTP server without a network, so that time in a test stands still while nothing happens.
type providers struct {
	mu sync.Mutex
	// asked counts requests by service; open and most count those at work by host.
	asked      map[string]int
	open, most map[string]int
	all, peak  int
	lastAsked  time.Time
	busyUntil  time.Time // "busy" answers 503 until then
}

const (
	workingSystems = 100
	perSystem      = 29
	slowServices   = 40
	deadServices   = 30
	lyingServices  = 30
	allServices    = workingSystems*perSystem + slowServices + deadServices + lyingServices
)

func targets() []Target {
	var all []Target
	id := int64(0)
	add := func(host string, services int) {
		for range services {
			id++
			all = append(all, Target{Service: id, Endpoint: "https://" + host})
		}
	}
	for i := range workingSystems {
		add(fmt.Sprintf("works%d.example", i), perSystem)
	}
	add("slow.example", slowServices)
	add("dead.example", deadServices)
	add("lies.example", lyingServices)
	return all
}

func (p *providers) handle(w http.ResponseWriter, r *http.Request) {
	p.enter(r.Host, r.URL.Path)
	defer p.leave(r.Host)
	service := strings.Split(r.URL.Path, "/")[3]
	switch {
	case r.Host == "dead.example":
		<-r.Context().Done()
	case r.Host == "slow.example":
		time.Sleep(15 * time.Second)
	case r.Host == "lies.example":
		service = "1" // another provider's service
	case time.Now().Before(p.busyUntil):
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	default:
		time.Sleep(50 * time.Millisecond)
	}
	from, _ := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	at := from.Add(24 * time.Hour)
	_, _ = fmt.Fprintf(w, `{"serviceId":%q,"slots":[{"id":"a","start":%q,"end":%q}]}`, service, at.Format(time.RFC3339), at.Add(20*time.Minute).Format(time.RFC3339))
}

func (p *providers) enter(host, path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastAsked = time.Now()
	p.asked[path]++
	p.all++
	p.open[host]++
	p.most[host] = max(p.most[host], p.open[host])
	p.peak = max(p.peak, p.all)
}

func (p *providers) leave(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	p.open[host]--
}

// requests is how often each service was asked.
func (p *providers) requests() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.asked)
}

// RoundTrip serves a request without a network.
func (p *providers) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.Host = r.URL.Host
	p.handle(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// memory is a store in memory.
type memory struct {
	mu       sync.Mutex
	targets  []Target
	results  map[string]map[int64]Result
	finished map[string]bool
	holder   *memoryHold
	away     int   // how many of the next writes fail as if the database were away
	reject   int64 // a service whose slots the database refuses
}

type memoryHold struct {
	m       *memory
	evening string
	lost    chan struct{}
}

func newMemory() *memory {
	return &memory{targets: targets(), results: map[string]map[int64]Result{}, finished: map[string]bool{}}
}

func (m *memory) Begin(_ context.Context, evening string) (Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.holder != nil:
		return nil, ErrElsewhere
	case m.finished[evening]:
		return nil, ErrDone
	case m.results[evening] == nil:
		m.results[evening] = map[int64]Result{}
	}
	m.holder = &memoryHold{m: m, evening: evening, lost: make(chan struct{})}
	return m.holder, nil
}

func (m *memory) Status(context.Context) (Status, error) { return Status{}, nil }

func (h *memoryHold) Lost() <-chan struct{} { return h.lost }

func (h *memoryHold) Release() {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.m.holder == h {
		h.m.holder = nil
	}
}

func (h *memoryHold) Pending(_ context.Context, limit int) ([]Target, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	var pending []Target
	for _, t := range h.m.targets {
		if _, done := h.m.results[h.evening][t.Service]; !done && len(pending)+len(h.m.results[h.evening]) < limit {
			pending = append(pending, t)
		}
	}
	return pending, nil
}

func (h *memoryHold) Apply(_ context.Context, _ provider.Period, results []Result) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.m.holder != h {
		return ErrFenced
	}
	if h.m.away > 0 {
		h.m.away--
		return errors.New("the database is away")
	}
	for _, r := range results {
		if r.Service == h.m.reject && len(r.Slots) > 0 {
			return &RejectedError{Cause: errors.New("refused")}
		}
	}
	for _, r := range results {
		h.m.results[h.evening][r.Service] = r
	}
	return nil
}

func (h *memoryHold) Finish(context.Context) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.m.finished[h.evening] = true
	return nil
}

func (m *memory) done(evening string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.finished[evening]
}

func (m *memory) count(evening string) map[Outcome]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[Outcome]int{}
	for _, r := range m.results[evening] {
		counts[r.Outcome]++
	}
	return counts
}
