// SPDX-License-Identifier: Apache-2.0

// Package provider simulates providers' booking systems: a real HTTPS server that keeps the contract which the booking
// service documents, with delays and faults on demand.
package provider

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Faults are shares of requests, 0 to 1, that do not go well.
type Faults struct {
	// Busy requests get 429 with Retry-After: 1.
	Busy float64
	// Broken requests get 500 after their work is done, so that the client cannot know.
	Broken float64
	// Silent requests are done but never answered, until the client gives up.
	Silent float64
}

// Options of a simulator.
type Options struct {
	// SlotsPerDay of each service, every Every from 08:00 UTC, Monday to Friday.
	SlotsPerDay int
	Every       time.Duration
	// Delay of each answer, and up to Jitter more.
	Delay, Jitter time.Duration
	Faults        Faults
	// Forget is how long a cancelled booking's ID is remembered.
	Forget time.Duration
}

// Simulator answers for any number of services. It is safe for concurrent use.
type Simulator struct {
	options Options
	mux     *http.ServeMux

	mu       sync.Mutex
	bookings map[string]booking
	// taken maps service and slot to the booking that has it.
	taken map[[2]string]string
	// cancelled IDs stay dead until this time.
	cancelled map[string]time.Time
	counts    Counts
}

// Counts of what was asked.
type Counts struct {
	Availability int64 `json:"availability"`
	Booked       int64 `json:"booked"`
	Refused      int64 `json:"refused"`
	Cancelled    int64 `json:"cancelled"`
	Faults       int64 `json:"faults"`
}

type booking struct {
	ServiceID string    `json:"serviceId"`
	SlotID    string    `json:"slotId"`
	Start     time.Time `json:"start"`
	UBRN      string    `json:"ubrn,omitempty"`
}

type slot struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// New is an empty simulator: all slots are free.
func New(o Options) *Simulator {
	s := &Simulator{
		options: o, mux: http.NewServeMux(), bookings: map[string]booking{}, taken: map[[2]string]string{}, cancelled: map[string]time.Time{},
	}
	s.mux.HandleFunc("GET /v1/services/{service}/slots", s.availability)
	s.mux.HandleFunc("PUT /v1/bookings/{id}", s.book)
	s.mux.HandleFunc("DELETE /v1/bookings/{id}", s.cancel)
	return s
}

// Counts so far.
func (s *Simulator) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// ServeHTTP waits, lets a fault happen or not, and answers.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d := s.options.Delay + time.Duration(rand.Float64()*float64(s.options.Jitter)); d > 0 {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(d):
		}
	}
	f, chance := s.options.Faults, rand.Float64()
	if chance < f.Busy+f.Broken+f.Silent {
		s.mu.Lock()
		s.counts.Faults++
		s.mu.Unlock()
	}
	switch {
	case chance < f.Busy:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests: ask again in a second", http.StatusTooManyRequests)
	case chance < f.Busy+f.Broken:
		s.mux.ServeHTTP(discard{http.Header{}}, r)
		http.Error(w, "the system failed", http.StatusInternalServerError)
	case chance < f.Busy+f.Broken+f.Silent:
		s.mux.ServeHTTP(discard{http.Header{}}, r)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// discard takes the answer that a fault swallows.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// availability lists the free slots of a period.
func (s *Simulator) availability(w http.ResponseWriter, r *http.Request) {
	service := r.PathValue("service")
	from, fromErr := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	to, toErr := time.Parse(time.RFC3339, r.URL.Query().Get("to"))
	if fromErr != nil || toErr != nil || to.Before(from) || to.Sub(from) > 366*24*time.Hour {
		http.Error(w, "from and to: expected times as in RFC 3339, at most 366 days apart", http.StatusBadRequest)
		return
	}
	answer := struct {
		ServiceID string `json:"serviceId"`
		Slots     []slot `json:"slots"`
	}{service, []slot{}}
	s.mu.Lock()
	s.counts.Availability++
	for _, c := range s.calendar(from, to) {
		if s.taken[[2]string{service, c.ID}] == "" {
			answer.Slots = append(answer.Slots, c)
		}
	}
	s.mu.Unlock()
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// mostSlots is the contract's limit on one answer.
const mostSlots = 5000

// calendar is the slots that start in a period, the same for all services.
func (s *Simulator) calendar(from, to time.Time) []slot {
	var slots []slot
	for day := from.UTC().Truncate(24 * time.Hour); day.Before(to); day = day.AddDate(0, 0, 1) {
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			continue
		}
		for n := range s.options.SlotsPerDay {
			c := s.slotAt(day, n)
			if c.Start.Before(from) || !c.Start.Before(to) {
				continue
			}
			if slots = append(slots, c); len(slots) == mostSlots {
				return slots
			}
		}
	}
	return slots
}

func (s *Simulator) slotAt(day time.Time, n int) slot {
	start := day.Add(8*time.Hour + time.Duration(n)*s.options.Every)
	return slot{ID: fmt.Sprintf("%s-%d", day.Format("20060102"), n), Start: start, End: start.Add(s.options.Every)}
}
