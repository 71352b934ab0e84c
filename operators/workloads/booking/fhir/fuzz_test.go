// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzBodies sends any body to every operation that reads one. Whatever it is,
// the answer is a success or an OperationOutcome of the client's making.
func FuzzBodies(f *testing.F) {
	operations := []struct{ method, path string }{
		{http.MethodPost, "HealthcareService/$ers.searchHealthcareServicesForPatient"}, {http.MethodPost, "ReferralRequest/$ers.createReferral"},
		{http.MethodPost, "ReferralRequest/$ers.fetchworklist"}, {http.MethodPost, "Appointment"}, {http.MethodPut, "Appointment/70009"},
		{http.MethodPost, "ReferralRequest/000000070000/$ers.cancelReferral"},
	}
	for _, body := range []string{searchBody, createBody, fmt.Sprintf(listBody, "AWAITING_BOOKING"), bookBody, deferBody, cancelBody, cancelReferralBody,
		`{}`, `[]`, `null`, `{"resourceType":"Parameters","parameter":[{"name":"shortlist","resource":null}]}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, o := range operations {
			desk := newFakeDesk().arrange("BOOKED", "BOOKED", newFakeDesk().reason)
			r := ask(t, handler(t, desk, nil), o.method, o.path, body, "If-Match", `W/"6"`)
			answer := text(t, r)
			if r.StatusCode >= 500 || r.StatusCode >= 300 && !strings.Contains(answer, "OperationOutcome") {
				t.Fatalf("%s %s: %d %s", o.method, o.path, r.StatusCode, answer)
			}
		}
	})
}

// FuzzSlotQuery does the same for the parameters of A015.
func FuzzSlotQuery(f *testing.F) {
	f.Add("schedule.actor:HealthcareService=11002&appointmentType=ROUTINE&status=free&_count=2&page=2")
	f.Add("page=99999999999999999999&_count=-1&status=%zz")
	f.Fuzz(func(t *testing.T, query string) {
		if _, err := url.Parse("https://x/?" + query); err != nil || strings.ContainsAny(query, " \t\r\n#") {
			return // no HTTP client can send it
		}
		r := ask(t, handler(t, newFakeDesk(), nil), http.MethodGet, "Slot?"+query, "")
		if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusBadRequest {
			t.Fatalf("%d %s", r.StatusCode, text(t, r))
		}
	})
}
