// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// maxProblems bounds what one refused answer may write into an error: ten tell the story.
const maxProblems = 10

type wireAvailability struct {
	ServiceID string     `json:"serviceId"`
	Slots     []wireSlot `json:"slots"`
}

type wireSlot struct {
	ID    string `json:"id"`
	Start string `json:"start"`
	End   string `json:"end"`
}

type wireBooking struct {
	ServiceID string `json:"serviceId"`
	SlotID    string `json:"slotId"`
	Start     string `json:"start"`
	UBRN      string `json:"ubrn,omitempty"`
}

// ParseAvailability reads the answer to "which slots": all of it or nothing, because slots that are missing from it are
// withdrawn. An answer about another service, outside the period, or with a slot twice is an *InvalidAnswerError.
func ParseAvailability(body []byte, service string, period Period) ([]Slot, error) {
	var wire wireAvailability
	var bad findings
	if err := decodeOne(body, &wire); err != nil {
		bad.add("$", "one JSON object of the contract: %v", err)
		return nil, bad.err()
	}
	if wire.ServiceID != service {
		bad.add("$.serviceId", "the service that was asked for")
	}
	if wire.Slots == nil {
		bad.add("$.slots", "a list, empty when nothing is free")
	}
	if len(wire.Slots) > MaxSlots {
		bad.add("$.slots", "at most %d slots, got %d", MaxSlots, len(wire.Slots))
		return nil, bad.err()
	}
	slots := make([]Slot, 0, len(wire.Slots))
	seen := make(map[string]struct{}, len(wire.Slots))
	for i, w := range wire.Slots {
		slot, ok := parseSlot(w, i, period, &bad)
		if _, twice := seen[w.ID]; twice {
			bad.add(fmt.Sprintf("$.slots[%d].id", i), "an id that no other slot has")
		}
		seen[w.ID] = struct{}{}
		if ok {
			slots = append(slots, slot)
		}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	slices.SortFunc(slots, func(a, b Slot) int { return a.Start.Compare(b.Start) })
	return slots, nil
}

func parseSlot(w wireSlot, i int, period Period, bad *findings) (Slot, bool) {
	path := func(field string) string { return fmt.Sprintf("$.slots[%d].%s", i, field) }
	before := len(bad.problems) + bad.more
	if !validID(w.ID) {
		bad.add(path("id"), "1 to 64 of A-Z a-z 0-9 . _ -")
	}
	start, err := time.Parse(time.RFC3339, w.Start)
	if err != nil {
		bad.add(path("start"), "a time with zone as in 2026-01-31T09:00:00Z")
	} else if start.Before(period.From) || !start.Before(period.To) {
		bad.add(path("start"), "a time within the period asked for")
	}
	end, endErr := time.Parse(time.RFC3339, w.End)
	if endErr != nil {
		bad.add(path("end"), "a time with zone as in 2026-01-31T09:20:00Z")
	} else if err == nil && (!end.After(start) || end.Sub(start) > MaxSlotLength) {
		bad.add(path("end"), "after the start, by at most %s", MaxSlotLength)
	}
	return Slot{ID: w.ID, Start: start.UTC(), End: end.UTC()}, before == len(bad.problems)+bad.more
}

// ParseBooked checks that the provider confirms what was asked for: a confirmation of another slot, service or time is an
// *InvalidAnswerError.
func ParseBooked(body []byte, service string, asked Booking) error {
	var wire wireBooking
	var bad findings
	if err := decodeOne(body, &wire); err != nil {
		bad.add("$", "one JSON object of the contract: %v", err)
		return bad.err()
	}
	if wire.ServiceID != service {
		bad.add("$.serviceId", "the service that was asked for")
	}
	if wire.SlotID != asked.Slot {
		bad.add("$.slotId", "the slot that was asked for")
	}
	if start, err := time.Parse(time.RFC3339, wire.Start); err != nil || !start.Equal(asked.Start) {
		bad.add("$.start", "the start that was asked for")
	}
	return bad.err()
}

// validID says whether s can stand in a path and a key without escaping. "." and ".." would change the path.
func validID(s string) bool {
	if len(s) == 0 || len(s) > 64 || s == "." || s == ".." {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// decodeOne refuses bytes after the object: a truncated or doubled answer must not pass for a short one. Errors carry no
// content of the answer, as it may hold anything.
func decodeOne(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("not readable near byte %d", decoder.InputOffset())
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("more follows at byte %d", decoder.InputOffset())
	}
	return nil
}

// findings collects problems up to a bound and counts the rest.
type findings struct {
	problems []string
	more     int
}

func (f *findings) add(path, expected string, args ...any) {
	if len(f.problems) == maxProblems {
		f.more++
		return
	}
	f.problems = append(f.problems, path+": expected "+fmt.Sprintf(expected, args...))
}

func (f *findings) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	problems := f.problems
	if f.more > 0 {
		problems = append(problems, fmt.Sprintf("and %d more", f.more))
	}
	return &InvalidAnswerError{Problems: problems}
}
