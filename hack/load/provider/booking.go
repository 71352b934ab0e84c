// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBooking bounds the body of a booking, in bytes.
const maxBooking = 4096

// book books a slot once, whatever is repeated.
func (s *Simulator) book(w http.ResponseWriter, r *http.Request) {
	var want booking
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBooking))
	if err := d.Decode(&want); err != nil || want.ServiceID == "" || want.SlotID == "" || want.Start.IsZero() {
		http.Error(w, "expected a JSON object with serviceId, slotId and start", http.StatusBadRequest)
		return
	}
	status := s.decide(r.PathValue("id"), want)
	if status >= 300 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	want.UBRN = ""
	// A client that went away asks again.
	_ = json.NewEncoder(w).Encode(want)
}

func (s *Simulator) decide(id string, want booking) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := [2]string{want.ServiceID, want.SlotID}
	old, known := s.bookings[id]
	switch {
	case !s.cancelled[id].IsZero():
		s.counts.Refused++
		return http.StatusGone
	case known && old.ServiceID == want.ServiceID && old.SlotID == want.SlotID:
		return http.StatusOK
	case !s.keeps(want):
		s.counts.Refused++
		return http.StatusNotFound
	case known || s.taken[place] != "":
		s.counts.Refused++
		return http.StatusConflict
	}
	s.bookings[id], s.taken[place] = want, id
	s.counts.Booked++
	return http.StatusCreated
}

// keeps says whether the slot is one of the calendar's, at its time.
func (s *Simulator) keeps(want booking) bool {
	date, number, ok := strings.Cut(want.SlotID, "-")
	day, err := time.Parse("20060102", date)
	n, numberErr := strconv.Atoi(number)
	return ok && err == nil && numberErr == nil && n >= 0 && n < s.options.SlotsPerDay && s.slotAt(day, n).Start.Equal(want.Start)
}

// cancel gives a slot back, and remembers that.
func (s *Simulator) cancel(w http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.bookings[id]; ok {
		delete(s.bookings, id)
		delete(s.taken, [2]string{b.ServiceID, b.SlotID})
		s.counts.Cancelled++
	}
	s.cancelled[id] = now.Add(s.options.Forget)
	for old, until := range s.cancelled {
		// Only a few are looked at each time, so that no request pays for all.
		if until.After(now) {
			break
		}
		delete(s.cancelled, old)
	}
	w.WriteHeader(http.StatusNoContent)
}
