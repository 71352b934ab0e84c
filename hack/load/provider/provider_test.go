// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	contract "spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

// The booking service's own client is what judges the simulator.
func start(t *testing.T, o Options) (*Simulator, *contract.Client, contract.Service) {
	t.Helper()
	o.SlotsPerDay, o.Every, o.Forget = 20, 20*time.Minute, time.Hour
	s := New(o)
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	c, err := contract.NewClient(server.Client().Transport, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s, c, contract.Service{ID: "11000", Endpoint: server.URL}
}

// monday is a period with one working day in it.
var monday = contract.Period{From: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}

const first, second = "6fa459ea-ee8a-4ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"

func TestBookingsOnce(t *testing.T) {
	_, c, service := start(t, Options{})
	slots, err := c.Availability(t.Context(), service, monday)
	if err != nil || len(slots) != 20 || slots[0].Start.Hour() != 8 {
		t.Fatalf("%d slots, %v", len(slots), err)
	}
	booking := contract.Booking{Request: first, Slot: slots[3].ID, Start: slots[3].Start, UBRN: "000000070000"}
	for range 2 {
		if err := c.Book(t.Context(), service, booking); err != nil {
			t.Fatal(err)
		}
	}
	other := booking
	other.Request = second
	var taken *contract.SlotTakenError
	if err := c.Book(t.Context(), service, other); !errors.As(err, &taken) {
		t.Errorf("the slot was booked twice: %v", err)
	}
	moved := other
	moved.Slot, moved.Start = slots[4].ID, slots[4].Start.Add(time.Minute)
	if err := c.Book(t.Context(), service, moved); err == nil {
		t.Error("a slot that starts at another time was booked")
	}
	if slots, err = c.Availability(t.Context(), service, monday); err != nil || len(slots) != 19 {
		t.Errorf("%d slots are free, %v", len(slots), err)
	}
	for range 2 {
		if err := c.Cancel(t.Context(), service, first); err != nil {
			t.Error(err)
		}
	}
	if err := c.Book(t.Context(), service, booking); err == nil {
		t.Error("a cancelled booking came back")
	}
	if err := c.Book(t.Context(), service, other); err != nil {
		t.Errorf("the slot was not given back: %v", err)
	}
}

func TestManyWantOneSlot(t *testing.T) {
	s, c, service := start(t, Options{})
	slots, err := c.Availability(t.Context(), service, monday)
	if err != nil {
		t.Fatal(err)
	}
	var booked atomic.Int32
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			request := first[:34] + string("0123456789abcdef"[n%16]) + string("0123456789abcdef"[n/16])
			if c.Book(t.Context(), service, contract.Booking{Request: request, Slot: slots[0].ID, Start: slots[0].Start, UBRN: "000000070000"}) == nil {
				booked.Add(1)
			}
		})
	}
	wg.Wait()
	if booked.Load() != 1 || s.Counts().Booked != 1 {
		t.Errorf("booked %d times", booked.Load())
	}
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		faults  Faults
		unknown bool
		booked  int64
	}{
		"busy":   {Faults{Busy: 1}, false, 0},
		"broken": {Faults{Broken: 1}, true, 1},
		"silent": {Faults{Silent: 1}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, client, service := start(t, Options{Faults: c.faults})
			day := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
			err := client.Book(t.Context(), service, contract.Booking{Request: first, Slot: "20261123-0", Start: day, UBRN: "000000070000"})
			if err == nil || contract.OutcomeUnknown(err) != c.unknown || s.Counts().Booked != c.booked || s.Counts().Faults != 1 {
				t.Errorf("%v, %+v", err, s.Counts())
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	s := New(Options{SlotsPerDay: 20, Every: 20 * time.Minute})
	for path, method := range map[string]string{
		"/v1/services/x/slots": http.MethodGet,
		"/v1/services/x/slots?from=2026-01-01T00:00:00Z&to=2029-01-01T00:00:00Z": http.MethodGet,
		"/v1/bookings/" + first: http.MethodPut,
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}
