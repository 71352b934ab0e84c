// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var (
	morning = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)
	period  = Period{From: morning.Truncate(24 * time.Hour), To: morning.Truncate(24 * time.Hour).Add(48 * time.Hour)}
	booking = Booking{Request: "5f0c8c1e-8a52-4b07-8a3d-0f0a3f6d9b11", Slot: "a-17", Start: morning, UBRN: "000000070000"}
)

// against starts a provider's system that answers with handler, and a client that waits limit for it.
func against(t *testing.T, limit time.Duration, handler http.HandlerFunc) (*Client, Service) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	client, err := NewClient(server.Client().Transport, limit)
	if err != nil {
		t.Fatal(err)
	}
	return client, Service{ID: "1000013", Endpoint: server.URL + "/pas"}
}

func TestAvailabilityAsksForThePeriodAndReadsTheSlots(t *testing.T) {
	client, service := against(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pas/v1/services/1000013/slots" || r.URL.Query().Get("from") != "2026-01-31T00:00:00Z" ||
			r.URL.Query().Get("to") != "2026-02-02T00:00:00Z" {
			t.Errorf("asked %s", r.URL)
		}
		_, _ = io.WriteString(w, `{"serviceId":"1000013","slots":[
			{"id":"b","start":"2026-01-31T10:00:00+01:00","end":"2026-01-31T10:20:00+01:00","room":"ignored"},
			{"id":"a","start":"2026-01-31T08:00:00Z","end":"2026-01-31T08:20:00Z"}]}`)
	})
	got, err := client.Availability(context.Background(), service, period)
	if err != nil || len(got) != 2 || got[0].ID != "a" || !got[1].Start.Equal(morning) {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestBookSendsTheReferralInTheBodyOnly(t *testing.T) {
	client, service := against(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		var got wireBooking
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got.UBRN != booking.UBRN || got.SlotID != "a-17" {
			t.Errorf("body %+v, %v", got, err)
		}
		if r.Method != http.MethodPut || strings.Contains(r.URL.String(), booking.UBRN) {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(wireBooking{ServiceID: got.ServiceID, SlotID: got.SlotID, Start: got.Start})
	})
	if err := client.Book(context.Background(), service, booking); err != nil {
		t.Fatal(err)
	}
}

// An error's type is what decides between "choose another", "come back" and an appointment-slot issue.
func TestAnswersBecomeTypedErrors(t *testing.T) {
	kind := func(err error) string {
		var taken *SlotTakenError
		var refused *RefusedError
		var busy *BusyError
		var silent *NoAnswerError
		var invalid *InvalidAnswerError
		switch {
		case err == nil:
			return "done"
		case errors.As(err, &taken):
			return "taken"
		case errors.As(err, &refused):
			return "refused"
		case errors.As(err, &busy):
			return "busy " + busy.After.String()
		case errors.As(err, &silent):
			return "silent"
		case errors.As(err, &invalid):
			return "invalid"
		}
		return err.Error()
	}
	for name, c := range map[string]struct {
		status           int
		after, body      string
		slots, book, del string
	}{
		"taken":                  {status: 409, slots: "refused", book: "taken", del: "refused"},
		"gone":                   {status: 410, slots: "refused", book: "refused", del: "refused"},
		"not known":              {status: 404, slots: "refused", book: "refused", del: "refused"},
		"throttled":              {status: 429, after: "7", slots: "busy 7s", book: "busy 7s", del: "busy 7s"},
		"throttled for ever":     {status: 429, after: "999999999", slots: "busy 1h0m0s", book: "busy 1h0m0s", del: "busy 1h0m0s"},
		"throttled, no time":     {status: 429, after: "soon", slots: "busy 30s", book: "busy 30s", del: "busy 30s"},
		"unavailable":            {status: 503, after: "0", slots: "busy 1s", book: "silent", del: "busy 1s"},
		"broken":                 {status: 500, slots: "silent", book: "silent", del: "silent"},
		"a redirect":             {status: 302, slots: "silent", book: "silent", del: "silent"},
		"request timed out":      {status: 408, slots: "silent", book: "silent", del: "silent"},
		"not JSON":               {status: 200, body: "<html>", slots: "invalid", book: "invalid", del: "done"},
		"another slot confirmed": {status: 200, body: `{"serviceId":"1000013","slotId":"x","start":"2026-01-31T09:00:00Z"}`, slots: "invalid", book: "invalid", del: "done"},
		"endless":                {status: 200, body: strings.Repeat(" ", MaxAnswerBytes+1), slots: "invalid", book: "invalid", del: "invalid"},
		"304 unasked":            {status: 304, slots: "silent", book: "silent", del: "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			client, service := against(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://elsewhere.example/")
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, slots := client.Availability(context.Background(), service, period)
			book := client.Book(context.Background(), service, booking)
			del := client.Cancel(context.Background(), service, booking.Request)
			if kind(slots) != c.slots || kind(book) != c.book || kind(del) != c.del {
				t.Errorf("slots %q, book %q, cancel %q; want %+v", kind(slots), kind(book), kind(del), c)
			}
			if unknown := kind(book) == "silent" || kind(book) == "invalid"; OutcomeUnknown(book) != unknown {
				t.Errorf("OutcomeUnknown(%v) = %v", book, OutcomeUnknown(book))
			}
		})
	}
}

func TestSilenceEndsAtTheLimitAndNamesNoBooking(t *testing.T) {
	release := make(chan struct{})
	client, service := against(t, time.Second, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	err := client.Book(context.Background(), service, booking)
	if !OutcomeUnknown(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error(), booking.Request) || strings.Contains(err.Error(), booking.UBRN) {
		t.Errorf("the error names the booking: %v", err)
	}
}

// A booking must not be carried to a system that nobody entered into the directory.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	client, service := against(t, 5*time.Second, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if err := client.Book(context.Background(), service, booking); !OutcomeUnknown(err) || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

func TestAddressesThatCannotBeRightAreRefusedBeforeAnythingIsSent(t *testing.T) {
	client, err := NewClient(http.DefaultTransport, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range map[string]Service{
		"plain http":   {ID: "1", Endpoint: "http://provider.example"},
		"no host":      {ID: "1", Endpoint: "https:///x"},
		"a query":      {ID: "1", Endpoint: "https://provider.example/?x=1"},
		"id with path": {ID: "../x", Endpoint: "https://provider.example"},
		"id of dots":   {ID: "..", Endpoint: "https://provider.example"},
		"no id":        {Endpoint: "https://provider.example"},
	} {
		if _, err := client.Availability(context.Background(), service, period); err == nil || OutcomeUnknown(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := NewClient(nil, AnswerLimit+1); err == nil {
		t.Error("a limit beyond the contract was accepted")
	}
}

func TestLyingAnswersAreRefusedWhole(t *testing.T) {
	slot := `{"id":"a","start":"2026-01-31T09:00:00Z","end":"2026-01-31T09:20:00Z"}`
	for name, c := range map[string]struct{ body, field string }{
		"another service":   {`{"serviceId":"2","slots":[]}`, "$.serviceId"},
		"no list":           {`{"serviceId":"1"}`, "$.slots"},
		"twice":             {`{"serviceId":"1","slots":[` + slot + `,` + slot + `]}`, "$.slots[1].id"},
		"past the period":   {`{"serviceId":"1","slots":[{"id":"a","start":"2027-01-31T09:00:00Z","end":"2027-01-31T09:20:00Z"}]}`, "$.slots[0].start"},
		"ends first":        {`{"serviceId":"1","slots":[{"id":"a","start":"2026-01-31T09:00:00Z","end":"2026-01-31T09:00:00Z"}]}`, "$.slots[0].end"},
		"lasts a week":      {`{"serviceId":"1","slots":[{"id":"a","start":"2026-01-31T09:00:00Z","end":"2026-02-07T09:00:00Z"}]}`, "$.slots[0].end"},
		"no zone":           {`{"serviceId":"1","slots":[{"id":"a","start":"2026-01-31T09:00:00","end":"2026-01-31T09:20:00Z"}]}`, "$.slots[0].start"},
		"an id with spaces": {`{"serviceId":"1","slots":[{"id":"a b","start":"2026-01-31T09:00:00Z","end":"2026-01-31T09:20:00Z"}]}`, "$.slots[0].id"},
		"cut off":           {`{"serviceId":"1","slots":[` + slot, "$"},
		"doubled":           {`{"serviceId":"1","slots":[]}{"serviceId":"1","slots":[]}`, "$"},
		"too many":          {`{"serviceId":"1","slots":[` + strings.Repeat(slot+",", MaxSlots) + slot + `]}`, "$.slots"},
	} {
		slots, err := ParseAvailability([]byte(c.body), "1", period)
		var invalid *InvalidAnswerError
		if !errors.As(err, &invalid) || slots != nil {
			t.Errorf("%s: got %d slots, %v", name, len(slots), err)
			continue
		}
		if !strings.HasPrefix(invalid.Problems[0], c.field+":") || len(invalid.Problems) > maxProblems+1 {
			t.Errorf("%s: got %v", name, invalid.Problems)
		}
	}
}

// What the parser accepts keeps every promise of Availability, whatever bytes arrive.
func FuzzParseAvailability(f *testing.F) {
	f.Add([]byte(`{"serviceId":"1","slots":[{"id":"a","start":"2026-01-31T09:00:00Z","end":"2026-01-31T09:20:00Z"}]}`))
	f.Add([]byte(`{"serviceId":"1","slots":[]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		slots, err := ParseAvailability(body, "1", period)
		if err != nil {
			if len(err.Error()) > 4096 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		seen := map[string]bool{}
		for i, s := range slots {
			if seen[s.ID] || !validID(s.ID) || s.Start.Before(period.From) || !s.Start.Before(period.To) || !s.End.After(s.Start) {
				t.Errorf("accepted %+v", s)
			}
			if i > 0 && s.Start.Before(slots[i-1].Start) {
				t.Error("not in order")
			}
			seen[s.ID] = true
		}
	})
}

// A confirmation is believed only when it says exactly what was asked for.
func FuzzParseBooked(f *testing.F) {
	f.Add([]byte(`{"serviceId":"1","slotId":"a-17","start":"2026-01-31T09:00:00Z"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if ParseBooked(body, "1", booking) != nil {
			return
		}
		var said struct{ ServiceID, SlotID string }
		if json.Unmarshal(body, &said) != nil || said.ServiceID != "1" || said.SlotID != booking.Slot {
			t.Errorf("accepted %q", body)
		}
	})
}
