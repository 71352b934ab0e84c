// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

var now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// fakeDesk answers with one referral in the state that the test wants, or with
// an error.
type fakeDesk struct {
	flow.Front
	referral domain.Referral
	err      error
	booked   flow.BookSlot
	deferred flow.Deferral
	key      flow.Key
	refer    flow.NewReferral
	reason   domain.Reason
	version  int
}

func newFakeDesk() *fakeDesk {
	return &fakeDesk{referral: domain.Referral{UBRN: "000000070000", Version: 6, RequestID: "c18c4ec4-7d0a-480e-8506-347e0ec228b0", State: domain.NotBooked,
		Patient: "9912003888", Referrer: "R69", Clinician: "021600556514", Priority: domain.Urgent, Specialty: "CARDIOLOGY", ClinicType: "HEART_FAILURE",
		Shortlist: []domain.ShortlistEntry{{ServiceID: 11002, Name: "Good Cardiology Business Service"}}, Letter: "NEED_TO_ADD_LATER",
		Pathway: now, Created: now, Updated: now}}
}

// arrange gives the referral an appointment.
func (f *fakeDesk) arrange(state domain.State, appointment domain.AppointmentState, reason domain.Reason) *fakeDesk {
	f.referral.State, f.referral.Reason, f.referral.Provider = state, reason, "RX1"
	f.referral.Appointment = &domain.Appointment{ID: 70009, UBRN: f.referral.UBRN, ServiceID: 11002, ServiceName: "Good Cardiology Business Service",
		State: appointment, Reason: reason, Created: now}
	if appointment == domain.AppointmentBooked {
		a := f.referral.Appointment
		a.SlotID, a.Start, a.End, a.Clinician = 11002001, now.AddDate(0, 0, 3), now.AddDate(0, 0, 3).Add(time.Hour), "921600556514"
	}
	return f
}

func (f *fakeDesk) got() (*domain.Referral, error) {
	if f.err != nil {
		return nil, f.err
	}
	r := f.referral
	return &r, nil
}

func (f *fakeDesk) Services(context.Context, domain.Caller, flow.ServiceQuery) ([]domain.Service, error) {
	return []domain.Service{{ID: 11002, Name: "Good Cardiology Business Service", Organisation: "RX1", Location: "Leeds", Specialty: "CARDIOLOGY",
		Bookable: domain.DirectlyBookable, WaitDays: 10}, {ID: 50001, Name: "Triage", Organisation: "RX1", Location: "York", Specialty: "CARDIOLOGY",
		Bookable: domain.NotBookable}}, f.err
}

func (f *fakeDesk) Slots(_ context.Context, _ domain.Caller, q flow.SlotQuery) (flow.SlotPage, error) {
	return flow.SlotPage{Page: q.Page, Total: 7, Slots: []domain.Slot{
		{ID: 1, ServiceID: q.Service, Reference: "USRN-1", Start: now, End: now.Add(time.Hour)},
		{ID: 2, ServiceID: q.Service, Reference: "USRN-2", Start: now, End: now.Add(time.Hour), Clinician: "921600556514"}}}, f.err
}

func (f *fakeDesk) Refer(_ context.Context, _ domain.Caller, key flow.Key, n flow.NewReferral) (flow.Created, error) {
	f.key, f.refer = key, n
	r, err := f.got()
	return flow.Created{Referral: r, AccessCode: "k7mf-2xqr-w9dp"}, err
}

func (f *fakeDesk) Referral(context.Context, domain.Caller, domain.UBRN) (*domain.Referral, error) {
	return f.got()
}

func (f *fakeDesk) Appointment(context.Context, domain.Caller, int64) (*domain.Referral, *domain.Appointment, error) {
	r, err := f.got()
	if err != nil {
		return nil, nil, err
	}
	return r, r.Appointment, nil
}

func (f *fakeDesk) Book(_ context.Context, _ domain.Caller, key flow.Key, b flow.BookSlot) (*domain.Referral, error) {
	f.booked, f.key = b, key
	return f.got()
}

func (f *fakeDesk) Defer(_ context.Context, _ domain.Caller, key flow.Key, d flow.Deferral) (*domain.Referral, error) {
	f.deferred, f.key = d, key
	return f.got()
}

func (f *fakeDesk) CancelAppointment(_ context.Context, _ domain.Caller, _ int64, version int, reason domain.Reason) (*domain.Referral, error) {
	f.version, f.reason = version, reason
	return f.got()
}

func (f *fakeDesk) CancelReferral(_ context.Context, _ domain.Caller, _ domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	f.version, f.reason = version, reason
	return f.got()
}

func (f *fakeDesk) Accept(_ context.Context, _ domain.Caller, _ domain.UBRN, version int) (*domain.Referral, error) {
	f.version = version
	return f.got()
}

func (f *fakeDesk) Reject(_ context.Context, _ domain.Caller, _ domain.UBRN, version int, reason domain.Reason) (*domain.Referral, error) {
	f.version, f.reason = version, reason
	return f.got()
}

func (f *fakeDesk) Worklist(context.Context, domain.Caller, flow.WorklistQuery) ([]flow.WorklistItem, error) {
	r, err := f.got()
	if err != nil {
		return nil, err
	}
	return []flow.WorklistItem{{Referral: *r, Opened: now, ContactBy: now.AddDate(0, 0, 4)}}, nil
}

// tokens are what verify accepts in tests.
var tokens = map[string]struct {
	who   domain.Caller
	roles []domain.Role
}{
	"referrer": {domain.Caller{Application: "gp", User: "021600556514", Organisation: "R69"}, []domain.Role{domain.ReferringClinician, domain.ReferringAdmin}},
	"provider": {domain.Caller{Application: "pas", User: "921600556514", Organisation: "RX1"}, []domain.Role{domain.ProviderClinician}},
}

type errToken struct{}

func (errToken) Error() string { return "the bearer token has expired: get a new one" }

func handler(t testing.TB, desk flow.Front, change func(*Config)) http.Handler {
	t.Helper()
	config := Config{
		Verify: func(raw string) (domain.Caller, []domain.Role, time.Time, error) {
			known, ok := tokens[raw]
			if !ok {
				return domain.Caller{}, nil, time.Time{}, errToken{}
			}
			return known.who, known.roles, now.Add(time.Hour), nil
		},
		Limits:  func() Limits { return Limits{RequestsPerSecond: 10, Burst: 20, BodyBytes: 64 << 10, InFlight: 8} },
		Observe: func(string, int, time.Duration) {},
		Now:     func() time.Time { return now },
		Log:     slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	return New(desk, config)
}

// ask sends one request as the referrer, unless the headers say otherwise. A
// header with an empty value is left out.
func ask(t testing.TB, h http.Handler, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/FHIR/STU3/"+path, strings.NewReader(body))
	all := map[string]string{"Authorization": "Bearer referrer", "NHSD-End-User-Organisation-ODS": "R69", "NHSD-eRS-Business-Function": "REFERRING_CLINICIAN",
		"Content-Type": "application/fhir+json", "X-Correlation-ID": "c0ffee"}
	for i := 0; i < len(headers); i += 2 {
		all[headers[i]] = headers[i+1]
	}
	for name, value := range all {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

var asProvider = []string{"Authorization", "Bearer provider", "NHSD-End-User-Organisation-ODS", "RX1", "NHSD-eRS-Business-Function", "SERVICE_PROVIDER_CLINICIAN"}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
