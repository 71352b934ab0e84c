// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

func TestBookingAsksForWhatTheBodySays(t *testing.T) {
	desk := newFakeDesk().arrange(domain.Booked, domain.AppointmentBooked, domain.Reason{})
	r := ask(t, handler(t, desk, nil), http.MethodPost, "Appointment", bookBody, "Idempotency-Key", "k1")
	if body := text(t, r); r.StatusCode != http.StatusCreated || r.Header.Get("ETag") != `W/"0"` || r.Header.Get("Location") != "/FHIR/STU3/Appointment/70009" {
		t.Fatalf("%d %v %s", r.StatusCode, r.Header, body)
	}
	b := desk.booked
	if b.UBRN != "000000070000" || b.Version != 6 || b.Service != 11002 || b.Slot != 11002001 || desk.key.Value != "k1" || desk.key.Hash == [32]byte{} {
		t.Errorf("%+v %+v", b, desk.key)
	}
}

func TestABookingThatTheProviderDidNotAnswerIs504(t *testing.T) {
	desk := newFakeDesk().arrange(domain.DeferredToProvider, domain.AppointmentDeferred, domain.Reason{Set: domain.ReviewReasonSet, Code: domain.BookingAttemptProblem})
	r := ask(t, handler(t, desk, nil), http.MethodPost, "Appointment", bookBody)
	if body := text(t, r); r.StatusCode != http.StatusGatewayTimeout || !strings.Contains(body, "PAS_NOT_RESPONDING") || !strings.Contains(body, "was deferred") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

func TestDeferralAndCancellations(t *testing.T) {
	desk := newFakeDesk().arrange(domain.DeferredToProvider, domain.AppointmentDeferred, domain.Reason{})
	if r := ask(t, handler(t, desk, nil), http.MethodPost, "Appointment", deferBody); r.StatusCode != http.StatusCreated ||
		desk.deferred.Reason != domain.NoSlotsAtService || desk.deferred.Comment != "no slots" || desk.deferred.Version != 6 {
		t.Errorf("defer: %d %+v", r.StatusCode, desk.deferred)
	}
	desk = newFakeDesk().arrange(domain.CancelledByPatient, domain.AppointmentCancelled, domain.Reason{})
	if r := ask(t, handler(t, desk, nil), http.MethodPut, "Appointment/70009", cancelBody, "If-Match", `W/"3"`); r.StatusCode != http.StatusOK ||
		desk.version != 3 || desk.reason.Code != "PATIENT_ILL" {
		t.Errorf("cancel appointment: %d %d %+v", r.StatusCode, desk.version, desk.reason)
	}
	if r := ask(t, handler(t, desk, nil), http.MethodPost, "ReferralRequest/000000070000/$ers.cancelReferral", cancelReferralBody, "If-Match", `W/"6"`); r.StatusCode != http.StatusOK ||
		desk.version != 6 || desk.reason.Code != "INTEND_PRIVATE" || !strings.Contains(text(t, r), "updatedAppointment") {
		t.Errorf("cancel referral: %d %d %+v", r.StatusCode, desk.version, desk.reason)
	}
}

func TestEveryErrorHasItsStatusAndARemedy(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"not found":         {domain.ErrNotFound, 404, "REFERENCE_NOT_FOUND"},
		"someone else's":    {&domain.ForbiddenError{Why: "this referral belongs to another organisation"}, 403, "FORBIDDEN"},
		"slot gone":         {domain.ErrSlotGone, 422, "SLOT_NOT_AVAILABLE"},
		"state":             {&domain.StateError{State: domain.CancelledReferral, Event: domain.EventBook}, 422, "INVALID_REQUEST_STATE"},
		"version":           {&domain.VersionError{Want: 3, Current: 4}, 409, "VERSION_CONFLICT"},
		"key reused":        {&domain.KeyConflictError{}, 409, "IDEMPOTENCY_KEY_REUSED"},
		"attempt running":   {domain.ErrInProgress, 423, "LOCKED"},
		"rule":              {&domain.RuleError{Code: "SLOTS_CURRENTLY_AVAILABLE", Why: "book one"}, 422, "SLOTS_CURRENTLY_AVAILABLE"},
		"provider refused":  {&domain.RuleError{Code: "PAS_RESPONDED_WITH_ERROR", Why: "choose another"}, 502, "PAS_RESPONDED_WITH_ERROR"},
		"rebooking, silent": {domain.ErrProviderSilent, 504, "PAS_NOT_RESPONDING"},
		"database away":     {errors.Join(&domain.OverloadedError{RetryAfter: 2 * time.Second}, errors.New("conn closed")), 503, "SYSTEM_UNAVAILABLE"},
		"closing":           {errors.Join(domain.ErrClosing, &domain.OverloadedError{RetryAfter: time.Minute}), 503, "SERVICE_UNAVAILABLE"},
		"fault":             {errors.New("secret detail of the inside"), 500, "INTERNAL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, handler(t, &fakeDesk{err: c.err}, nil), http.MethodGet, "ReferralRequest/000000070000", "")
			body := text(t, r)
			if r.StatusCode != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) || !strings.Contains(body, `"diagnostics":"`) {
				t.Errorf("%d %s", r.StatusCode, body)
			}
			if strings.Contains(body, "secret") || strings.Contains(body, "conn closed") {
				t.Errorf("the answer shows the inside: %s", body)
			}
			if c.status == 503 && r.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestBadRequestsAreRefusedBeforeTheDesk(t *testing.T) {
	large := `{"resourceType":"Appointment","comment":"` + strings.Repeat("x", 70<<10) + `"}`
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		says               string
	}{
		"no token":              {http.MethodGet, "ReferralRequest/000000070000", "", []string{"Authorization", ""}, 401, "NO_ACCESS"},
		"expired token":         {http.MethodGet, "ReferralRequest/000000070000", "", []string{"Authorization", "Bearer old"}, 401, "expired"},
		"no organisation":       {http.MethodGet, "ReferralRequest/000000070000", "", []string{"NHSD-End-User-Organisation-ODS", ""}, 400, "NHSD-End-User-Organisation-ODS"},
		"foreign organisation":  {http.MethodGet, "ReferralRequest/000000070000", "", []string{"NHSD-End-User-Organisation-ODS", "B82"}, 403, "FORBIDDEN"},
		"role not granted":      {http.MethodGet, "ReferralRequest/000000070000", "", []string{"NHSD-eRS-Business-Function", "SERVICE_PROVIDER_ADMIN"}, 403, "FORBIDDEN"},
		"wrong accept":          {http.MethodGet, "ReferralRequest/000000070000", "", []string{"Accept", "text/html"}, 406, "application/fhir+json"},
		"wrong content":         {http.MethodPost, "Appointment", bookBody, []string{"Content-Type", "text/xml"}, 415, "application/fhir+json"},
		"malformed":             {http.MethodPost, "Appointment", `{"resourceType":`, nil, 400, "not valid JSON"},
		"empty":                 {http.MethodPost, "Appointment", "", nil, 422, "body is missing"},
		"two documents":         {http.MethodPost, "Appointment", bookBody + bookBody, nil, 400, "not valid JSON"},
		"oversized":             {http.MethodPost, "Appointment", large, nil, 413, "65536 bytes"},
		"other resource":        {http.MethodPost, "Appointment", `{"resourceType":"Patient"}`, nil, 422, "must be Appointment"},
		"unknown field":         {http.MethodPost, "Appointment", `{"resourceType":"Appointment","colour":"red"}`, nil, 422, "UNEXPECTED_FIELD"},
		"wrong kind":            {http.MethodPost, "Appointment", `{"resourceType":"Appointment","slot":"x"}`, nil, 422, "INVALID_FHIR_STRUCTURE"},
		"unknown parameter":     {http.MethodPost, "ReferralRequest/$ers.createReferral", `{"resourceType":"Parameters","parameter":[{"name":"x"}]}`, nil, 422, "parameter[0]"},
		"bad NHS number":        {http.MethodPost, "ReferralRequest/$ers.createReferral", strings.Replace(createBody, "9912003888", "9912003889", 1), nil, 422, "check digit"},
		"other patient":         {http.MethodPost, "Appointment", strings.Replace(bookBody, "9912003888", "1000000001", 1), nil, 422, "PATIENT_ERROR"},
		"no version":            {http.MethodPost, "Appointment", strings.Replace(bookBody, "/_history/6", "", 1), nil, 422, "incomingReferral"},
		"booking without slot":  {http.MethodPost, "Appointment", strings.Replace(bookBody, `"slot":[{"reference":"Slot/11002001"}]`, `"slot":[]`, 1), nil, 422, "slot"},
		"UBRN that cannot be":   {http.MethodGet, "ReferralRequest/12", "", nil, 404, "REFERENCE_NOT_FOUND"},
		"old version asked":     {http.MethodGet, "ReferralRequest/000000070000/_history/5", "", nil, 404, "REFERENCE_NOT_FOUND"},
		"no If-Match":           {http.MethodPost, "ReferralRequest/000000070000/$ers.cancelReferral", cancelReferralBody, nil, 412, "If-Match"},
		"If-Match unreadable":   {http.MethodPost, "ReferralRequest/000000070000/$ers.cancelReferral", cancelReferralBody, []string{"If-Match", "6"}, 400, "If-Match"},
		"slots without service": {http.MethodGet, "Slot?appointmentType=ROUTINE&status=free&_count=5&page=1", "", nil, 400, "HealthcareService"},
		"slots, unknown filter": {http.MethodGet, slotQueryText + "&name=Smith", "", nil, 400, "A015"},
		"no such operation":     {http.MethodGet, "Patient/1", "", nil, 404, "no such operation"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, handler(t, newFakeDesk(), nil), c.method, c.path, c.body, c.headers...)
			body := text(t, r)
			if r.StatusCode != c.status || !strings.Contains(body, c.says) || !strings.Contains(body, "OperationOutcome") {
				t.Errorf("%d %s", r.StatusCode, body)
			}
			for _, number := range []string{"9912003889", "1000000001"} {
				if strings.Contains(body, number) {
					t.Error("the answer repeats patient data")
				}
			}
			if r.Header.Get("X-Correlation-ID") != "c0ffee" || r.Header.Get("X-Request-ID") == "" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers: %v", r.Header)
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	body := strings.NewReplacer("9912003888", "1", "NEED_TO_ADD_LATER", "PERHAPS", "URGENT", "SOON").Replace(createBody)
	r := ask(t, handler(t, newFakeDesk(), nil), http.MethodPost, "ReferralRequest/$ers.createReferral", body)
	if got := text(t, r); strings.Count(got, `"severity":"error"`) != 3 {
		t.Errorf("%s", got)
	}
}

func TestAnApplicationIsSlowedDownAndOthersAreNot(t *testing.T) {
	clock := now
	h := handler(t, newFakeDesk(), func(c *Config) { c.Now = func() time.Time { return clock } })
	statuses := func(n int, headers ...string) string {
		var all []string
		for range n {
			all = append(all, fmt.Sprint(ask(t, h, http.MethodGet, "ReferralRequest/000000070000", "", headers...).StatusCode))
		}
		return strings.Join(all, " ")
	}
	if got := statuses(20); got != strings.TrimSpace(strings.Repeat("200 ", 20)) {
		t.Fatal(got)
	}
	r := ask(t, h, http.MethodGet, "ReferralRequest/000000070000", "")
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "1" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	if got := statuses(1, asProvider...); got != "200" {
		t.Errorf("another application: %s", got)
	}
	clock = clock.Add(time.Second)
	if got := statuses(11); got != strings.Repeat("200 ", 10)+"429" {
		t.Errorf("after a second: %s", got)
	}
}

func TestAFullServiceSaysSo(t *testing.T) {
	h := handler(t, newFakeDesk(), func(c *Config) {
		c.Limits = func() Limits { return Limits{RequestsPerSecond: 10, Burst: 20, BodyBytes: 1024, InFlight: 0} }
	})
	if r := ask(t, h, http.MethodGet, "ReferralRequest/000000070000", ""); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}
