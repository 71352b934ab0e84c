// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// appointmentResource is the resource Appointment as clients send it.
type appointmentResource struct {
	ResourceType     string            `json:"resourceType"`
	ID               string            `json:"id"`
	Meta             meta              `json:"meta"`
	Language         string            `json:"language"`
	Status           string            `json:"status"`
	Reason           []codeableConcept `json:"reason"`
	Description      string            `json:"description"`
	Start            string            `json:"start"`
	End              string            `json:"end"`
	Slot             []reference       `json:"slot"`
	Created          string            `json:"created"`
	Comment          string            `json:"comment"`
	IncomingReferral []reference       `json:"incomingReferral"`
	Participant      []struct {
		// Published as one concept where FHIR has a list: not read.
		Type   json.RawMessage `json:"type"`
		Actor  reference       `json:"actor"`
		Status string          `json:"status"`
	} `json:"participant"`
}

// wanted is what an Appointment in a request asks for.
type wanted struct {
	ubrn    domain.UBRN
	version int // of the referral
	service int64
	slot    int64 // 0: none
	patient domain.NHSNumber
	reason  string
	comment string
	status  string
}

// readAppointment reads the body of A016 and A034.
func readAppointment(body []byte) (wanted, error) {
	var r appointmentResource
	var w wanted
	if err := decode(body, &r); err != nil {
		return w, err
	}
	if r.ResourceType != "Appointment" {
		return w, &structureError{"INVALID_FHIR_STRUCTURE", "'resourceType' must be Appointment"}
	}
	f := &fields{}
	w.status, w.comment = r.Status, r.Comment
	if len(r.Comment) > 2000 {
		f.bad("comment", "at most 2000 bytes", "shorten it")
	}
	if len(r.IncomingReferral) != 1 {
		f.bad("incomingReferral", "one reference", "for example ReferralRequest/000000070000/_history/6")
	} else {
		w.ubrn, w.version = f.referralReference(r.IncomingReferral[0].Reference)
	}
	switch len(r.Slot) {
	case 0:
	case 1:
		w.slot = f.number("slot[0]", strings.TrimPrefix(r.Slot[0].Reference, "Slot/"))
	default:
		f.bad("slot", "at most one reference", "send one appointment for each slot")
	}
	switch len(r.Reason) {
	case 0:
	case 1:
		if len(r.Reason[0].Coding) == 1 && len(r.Reason[0].Coding[0].Code) <= 64 {
			w.reason = r.Reason[0].Coding[0].Code
			break
		}
		fallthrough
	default:
		f.bad("reason", "one coding", "send it as the published example does")
	}
	for i, p := range r.Participant {
		name := "participant[" + strconv.Itoa(i) + "]"
		switch id := p.Actor.Identifier; {
		case i > 2:
			f.bad("participant", "at most three", "send the service, the patient and at most a clinician")
		case id == nil:
			f.bad(name, "an actor with an identifier", "send it as the published example does")
		case id.System == systemService:
			w.service = f.number(name, id.Value)
		case id.System == systemNHSNumber:
			w.patient = f.patient(parameter{ValueIdentifier: id})
		}
		if i > 2 {
			break
		}
	}
	if w.service == 0 && len(f.problems) == 0 {
		f.bad("participant", "the service, an identifier of "+systemService, "send it as the published example does")
	}
	if w.patient == "" && len(f.problems) == 0 {
		f.bad("participant", "the patient, an identifier of "+systemNHSNumber, "send it as the published example does")
	}
	return w, f.problems.OrNil()
}

// referralReference reads ReferralRequest/<UBRN>/_history/<version>.
func (f *fields) referralReference(text string) (domain.UBRN, int) {
	rest, ok := strings.CutPrefix(text, "ReferralRequest/")
	number, version, versioned := strings.Cut(rest, "/_history/")
	ubrn, err := domain.ParseUBRN(number)
	n, bad := strconv.ParseUint(version, 10, 31)
	if !ok || err != nil || !versioned || bad != nil || n == 0 {
		f.bad("incomingReferral[0]", "a reference with a version", "for example ReferralRequest/000000070000/_history/6")
	}
	return ubrn, int(n)
}

// bookOrDefer is A016.
func (a *api) bookOrDefer(c *call) (*answer, error) {
	w, err := readAppointment(c.body)
	if err != nil {
		return nil, err
	}
	// The patient is checked before anything changes: the request may name
	// another patient's referral by a mistyped UBRN.
	r, err := a.desk.Referral(c.Context(), c.who, w.ubrn)
	if err != nil {
		return nil, err
	}
	if r.Patient != w.patient {
		return nil, &domain.RuleError{Code: "PATIENT_ERROR", Why: "the patient is not the referral's: check UBRN and NHS number"}
	}
	key := flow.NewKey(c.key(), "A016", w.ubrn, w.version, w.service, w.slot, w.status, w.reason, w.comment)
	switch w.status {
	case "booked":
		if w.slot == 0 {
			return nil, domain.InvalidErrors{{Field: "'slot'", Want: "the slot to book", Fix: "retrieve free slots and choose one"}}
		}
		r, err = a.desk.Book(c.Context(), c.who, key, flow.BookSlot{UBRN: w.ubrn, Version: w.version, Service: w.service, Slot: w.slot})
		if err == nil && r.Appointment.State == domain.AppointmentDeferred {
			err = &silentError{w.ubrn}
		}
	case "proposed":
		r, err = a.desk.Defer(c.Context(), c.who, key, flow.Deferral{UBRN: w.ubrn, Version: w.version, Service: w.service, Slot: w.slot,
			Reason: w.reason, Comment: w.comment})
	default:
		err = domain.InvalidErrors{{Field: "'status'", Want: "booked or proposed", Fix: "send booked to book the slot, proposed to defer to the provider"}}
	}
	if err != nil {
		return nil, err
	}
	got := c.appointmentAnswer(http.StatusCreated, r, r.Appointment)
	got.headers = map[string]string{"Location": "/FHIR/STU3/Appointment/" + strconv.FormatInt(r.Appointment.ID, 10)}
	return got, nil
}

func (c *call) appointmentAnswer(status int, r *domain.Referral, a *domain.Appointment) *answer {
	return &answer{status: status, version: a.Version, body: c.view().appointment(r, a, strconv.FormatInt(a.ID, 10))}
}

// appointmentID reads the id of the path. One that cannot exist is not found.
func (c *call) appointmentID() (int64, error) {
	id, err := strconv.ParseInt(c.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, domain.ErrNotFound
	}
	return id, nil
}

// appointment is A038, with and without a version.
func (a *api) appointment(c *call) (*answer, error) {
	id, err := c.appointmentID()
	if err != nil {
		return nil, err
	}
	r, found, err := a.desk.Appointment(c.Context(), c.who, id)
	if err != nil {
		return nil, err
	}
	if !c.wants(found.Version) {
		return nil, domain.ErrNotFound
	}
	return c.appointmentAnswer(http.StatusOK, r, found), nil
}

// updateAppointment is A034: as published, the only update is a cancellation.
func (a *api) updateAppointment(c *call) (*answer, error) {
	id, err := c.appointmentID()
	if err != nil {
		return nil, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return nil, err
	}
	w, err := readAppointment(c.body)
	if err != nil {
		return nil, err
	}
	if w.status != "cancelled" {
		return nil, domain.InvalidErrors{{Field: "'status'", Want: "cancelled", Fix: "an update can only cancel the appointment"}}
	}
	if w.reason == "" {
		return nil, &structureError{"MISSING_VALUE", "'reason' is missing: choose a code of APPOINTMENT-CANCELLATION-REASON"}
	}
	r, found, err := a.desk.Appointment(c.Context(), c.who, id)
	if err != nil {
		return nil, err
	}
	if r.Patient != w.patient || r.UBRN != w.ubrn || found.ServiceID != w.service {
		return nil, &domain.RuleError{Code: "INAPPROPRIATE_VALUE", Why: "patient, service or referral are not those of the appointment: retrieve it again"}
	}
	r, err = a.desk.CancelAppointment(c.Context(), c.who, id, version, domain.Reason{Set: domain.AppointmentReasonSet, Code: w.reason, Comment: w.comment})
	if err != nil {
		return nil, err
	}
	return c.appointmentAnswer(http.StatusOK, r, r.Appointment), nil
}
