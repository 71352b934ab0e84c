// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// document loads openapi.yaml.
func document(t *testing.T) (*openapi3.T, routers.Router) {
	t.Helper()
	openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.JSONBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

func TestRoutesAndDocumentAreTheSame(t *testing.T) {
	doc, _ := document(t)
	documented := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			documented[method+" /FHIR/STU3"+path] = operation.OperationID
		}
	}
	for _, route := range routes {
		if documented[route.pattern] != route.name {
			t.Errorf("%s: documented as %q, named %q", route.pattern, documented[route.pattern], route.name)
		}
		delete(documented, route.pattern)
	}
	for pattern := range documented {
		t.Errorf("%s is documented and not there", pattern)
	}
}

func TestAnswersAreAsDocumented(t *testing.T) {
	_, router := document(t)
	appointment := func(s domain.State, a domain.AppointmentState, set, code, comment string) *fakeDesk {
		return newFakeDesk().arrange(s, a, domain.Reason{Set: set, Code: code, Comment: comment})
	}
	booked := appointment(domain.Booked, domain.AppointmentBooked, "", "", "")
	deferred := appointment(domain.DeferredToProvider, domain.AppointmentDeferred, domain.ReviewReasonSet, domain.NoSlotsAtService, "none left")
	cancelled := appointment(domain.CancelledByPatient, domain.AppointmentCancelled, domain.AppointmentReasonSet, "PATIENT_ILL", "")
	ended := appointment(domain.CancelledReferral, domain.AppointmentCancelled, domain.ReferralReasonSet, "INTEND_PRIVATE", "")
	rejected := appointment(domain.Rejected, domain.AppointmentRejected, domain.AppointmentReasonSet, "SERVICE_INAPPROPRIATE", "")
	later := appointment(domain.CancelledByProvider, domain.AppointmentCancelled, "eRS-ReviewOutcome-1", "CANCEL_APPOINTMENT_ACTION_LATER", "rebook")
	six := []string{"If-Match", `W/"6"`}
	provider := append(six, asProvider...)
	const one = "ReferralRequest/000000070000"
	for _, c := range []struct {
		desk               *fakeDesk
		method, path, body string
		headers            []string
	}{
		{newFakeDesk(), http.MethodPost, "HealthcareService/$ers.searchHealthcareServicesForPatient", searchBody, nil},
		{newFakeDesk(), http.MethodPost, "ReferralRequest/$ers.createReferral", createBody, nil},
		{newFakeDesk(), http.MethodGet, one, "", nil},
		{booked, http.MethodGet, one + "/_history/6", "", nil},
		{deferred, http.MethodGet, one, "", nil},
		{booked, http.MethodGet, slotQueryText, "", nil},
		{booked, http.MethodPost, "Appointment", bookBody, nil},
		{deferred, http.MethodPost, "Appointment", deferBody, nil},
		{booked, http.MethodGet, "Appointment/70009", "", nil},
		{booked, http.MethodGet, "Appointment/70009/_history/0", "", nil},
		{cancelled, http.MethodPut, "Appointment/70009", cancelBody, six},
		{ended, http.MethodPost, one + "/$ers.cancelReferral", cancelReferralBody, six},
		{booked, http.MethodPost, one + "/$ers.acceptReferral", "", provider},
		{rejected, http.MethodPost, one + "/$ers.rejectReferral", rejectBody, provider},
		{later, http.MethodPost, one + "/$ers.cancelAppointmentActionLater", laterBody, provider},
		{booked, http.MethodPost, "ReferralRequest/$ers.fetchworklist", fmt.Sprintf(listBody, "REFERRALS_FOR_REVIEW"), asProvider},
		{deferred, http.MethodPost, "ReferralRequest/$ers.fetchworklist", fmt.Sprintf(listBody, "APPOINTMENT_SLOT_ISSUES"), asProvider},
		{rejected, http.MethodPost, "ReferralRequest/$ers.fetchworklist", fmt.Sprintf(listBody, "REJECTED_TRIAGE_RESPONSE"), nil},
		{newFakeDesk(), http.MethodPost, "ReferralRequest/$ers.fetchworklist", fmt.Sprintf(listBody, "LETTERS_OUTSTANDING"), nil},
		{&fakeDesk{err: domain.ErrSlotGone, referral: booked.referral}, http.MethodGet, one, "", nil},
		{newFakeDesk(), http.MethodGet, one, "", []string{"Authorization", ""}},
	} {
		r := ask(t, handler(t, c.desk, nil), c.method, c.path, c.body, c.headers...)
		body := text(t, r)
		request := httptest.NewRequestWithContext(t.Context(), c.method, "/FHIR/STU3/"+c.path, strings.NewReader(c.body))
		request.Header.Set("Content-Type", mediaType)
		for i := 0; i < len(c.headers); i += 2 {
			request.Header.Set(c.headers[i], c.headers[i+1])
		}
		route, parameters, err := router.FindRoute(request)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
		input := &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route, Options: options}
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s, request: %v", c.method, c.path, err)
		}
		output := (&openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: r.StatusCode, Header: r.Header, Options: options}).SetBodyBytes([]byte(body))
		if err := openapi3filter.ValidateResponse(t.Context(), output); err != nil {
			t.Errorf("%s %s, answer %d: %v", c.method, c.path, r.StatusCode, err)
		}
	}
}
