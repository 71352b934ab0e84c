// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"log/slog"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// Config is what the API needs beside the desk.
type Config struct {
	// Verify checks a bearer token and returns whose it is and the roles it grants.
	Verify func(raw string) (domain.Caller, []domain.Role, time.Time, error)
	// Limits may change while the service runs.
	Limits func() Limits
	// Observe is told of every answer; operation is one of the names in routes.
	Observe func(operation string, status int, took time.Duration)
	Now     func() time.Time
	Log     *slog.Logger
}

// Limits bound what callers may ask.
type Limits struct {
	RequestsPerSecond int   // per application
	Burst             int   // per application
	BodyBytes         int64 // of one request
	InFlight          int   // requests at once, over all applications; read at the start
}

// api is the handler.
type api struct {
	Config
	desk  flow.Front
	rates *rates
	slots chan struct{} // one for each request in flight
}

// call is one authenticated request.
type call struct {
	*http.Request
	who  domain.Caller
	body []byte // of a POST or PUT
}

// operation answers a call.
type operation func(a *api, c *call) (*answer, error)

// answer is a success.
type answer struct {
	status  int
	body    any
	version int // for the ETag; negative: none
	headers map[string]string
}

// routes are the operations, by published number.
var routes = []struct {
	pattern, name string
	do            operation
}{
	{"POST /FHIR/STU3/HealthcareService/$ers.searchHealthcareServicesForPatient", "A010", (*api).searchServices},
	{"POST /FHIR/STU3/ReferralRequest/$ers.createReferral", "A011", (*api).createReferral},
	{"POST /FHIR/STU3/ReferralRequest/$ers.fetchworklist", "A008", (*api).worklist},
	{"GET /FHIR/STU3/ReferralRequest/{ubrn}", "A005", (*api).referral},
	{"GET /FHIR/STU3/ReferralRequest/{ubrn}/_history/{version}", "A005v", (*api).referral},
	{"POST /FHIR/STU3/ReferralRequest/{ubrn}/$ers.acceptReferral", "A013", (*api).accept},
	{"POST /FHIR/STU3/ReferralRequest/{ubrn}/$ers.rejectReferral", "A014", (*api).reject},
	{"POST /FHIR/STU3/ReferralRequest/{ubrn}/$ers.cancelAppointmentActionLater", "A022", (*api).cancelActionLater},
	{"POST /FHIR/STU3/ReferralRequest/{ubrn}/$ers.cancelReferral", "A036", (*api).cancelReferral},
	{"GET /FHIR/STU3/Slot", "A015", (*api).slotsOf},
	{"POST /FHIR/STU3/Appointment", "A016", (*api).bookOrDefer},
	{"GET /FHIR/STU3/Appointment/{id}", "A038", (*api).appointment},
	{"GET /FHIR/STU3/Appointment/{id}/_history/{version}", "A038v", (*api).appointment},
	{"PUT /FHIR/STU3/Appointment/{id}", "A034", (*api).updateAppointment},
}

// New makes the API's handler, for the path /FHIR/ and below.
func New(desk flow.Front, config Config) http.Handler {
	a := &api{Config: config, desk: desk, rates: newRates(), slots: make(chan struct{}, config.Limits().InFlight)}
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.Handle(route.pattern, a.serve(route.name, route.do))
	}
	mux.HandleFunc("GET /FHIR/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(OpenAPI)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		identify(w, r)
		writeOutcome(w, http.StatusNotFound, outcome("not-found", "NOT_FOUND", "Not found",
			"there is no such operation: see the published e-RS API, FHIR STU3, and this service's list of operations"))
	})
	return mux
}
