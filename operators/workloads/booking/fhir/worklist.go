// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"net/http"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// listExtensions name the extension of a line of each list.
var listExtensions = map[string]string{
	flow.ReferralsForReview: "ReferralsforReview", flow.AppointmentSlotIssues: "AppointmentSlotIssues", flow.RejectedTriageResponse: "RejectedTriageResponse",
	flow.AssessmentCancelledDNA: "AssessmentReturnedCancelledDna", flow.AwaitingBooking: "AwaitingBooking", flow.LettersOutstanding: "LettersOutstanding",
}

// worklist is A008.
func (a *api) worklist(c *call) (*answer, error) {
	p, err := decodeParameters(c.body, "", "listType", "service", "specialtyAssignedIndicator", "specialty", "location", "clinicianAssignedIndicator", "clinician")
	if err != nil {
		return nil, err
	}
	f := &fields{}
	q := flow.WorklistQuery{List: f.code(p["listType"], "listType", true), Specialty: f.code(p["specialty"], "specialty", false), Limit: 1000}
	if id := p["service"].ValueIdentifier; id != nil {
		q.Service = f.number("service", id.Value)
	}
	if id := p["clinician"].ValueIdentifier; id != nil {
		if q.Clinician = id.Value; len(q.Clinician) > 64 {
			f.bad("clinician", "an SDS user id", "send at most 64 characters")
		}
	}
	if err := f.problems.OrNil(); err != nil {
		return nil, err
	}
	items, err := a.desk.Worklist(c.Context(), c.who, q)
	if err != nil {
		return nil, err
	}
	entries := make([]object, len(items))
	for i := range items {
		entries[i] = c.view().worklist(q.List, &items[i])
	}
	body := object{"resourceType": "List", "meta": profile(profileWorklist), "status": "current", "mode": "snapshot", "entry": entries}
	if q.List == flow.ReferralsForReview {
		body["contained"] = containedPatients(items)
	}
	return &answer{status: http.StatusOK, version: -1, body: body}, nil
}

// containedPatients are the patients that a list refers to, each once.
func containedPatients(items []flow.WorklistItem) []object {
	list, seen := []object{}, map[domain.NHSNumber]bool{}
	for i := range items {
		n := items[i].Referral.Patient
		if seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, object{"id": "Patient-" + n.Digits(), "resourceType": "Patient", "meta": profile(structure + "eRS-Patient-1"),
			"identifier": []object{identifierOf(systemNHSNumber, n.Digits())}})
	}
	return list
}

func (v view) worklist(list string, item *flow.WorklistItem) object {
	r := &item.Referral
	patient := object{"identifier": identifierOf(systemNHSNumber, r.Patient.Digits())}
	if list == flow.ReferralsForReview {
		patient = object{"reference": "#Patient-" + r.Patient.Digits()}
	}
	lines := []object{
		{"url": "patient", "valueReference": patient},
		{"url": "priority", "valueCodeableConcept": conceptOf(codeSystem+"eRS-Priority-1", string(r.Priority), "")},
	}
	switch list {
	case flow.AppointmentSlotIssues:
		lines = append(append(lines, v.providerLines(r)...),
			object{"url": "ubrnReceived", "valueDateTime": instant(item.Opened)},
			object{"url": "patientContactExpected", "valueDate": date(item.ContactBy)},
			object{"url": "reason", "valueCodeableConcept": concept(v.reason(r.Reason.Set, r.Reason.Code, ""))})
	case flow.ReferralsForReview:
		lines = append(append(lines, v.providerLines(r)...), reviewLines(r)...)
	default:
		lines = append(lines, v.referrerLines(list, r)...)
	}
	return object{"item": object{"reference": "ReferralRequest/" + string(r.UBRN)},
		"extension": []object{{"url": structure + "Extension-eRS-" + listExtensions[list] + "-WorkListItem-1", "extension": lines}}}
}

func (v view) providerLines(r *domain.Referral) []object {
	lines := []object{
		{"url": "specialty", "valueCodeableConcept": concept(v.specialty(r.Specialty, ""))},
		{"url": "eReferralPathwayStart", "valueDateTime": instant(r.Pathway)},
		{"url": "clinicalInfoPrinted", "valueBoolean": false},
	}
	if a := r.Appointment; a != nil {
		lines = append(lines, object{"url": "service", "valueReference": object{
			"identifier": identifierOf(systemService, strconv.FormatInt(a.ServiceID, 10)), "display": a.ServiceName}})
	}
	return lines
}

func reviewLines(r *domain.Referral) []object {
	kind := "APPOINTMENT"
	if r.State == domain.AwaitingTriage {
		kind = "TRIAGE_DEFERRAL"
	}
	lines := []object{
		{"url": "requestContextStatus", "valueCodeableConcept": conceptOf(codeSystem+"eRS-RequestContextStatus-1", "NEVER_REVIEWED", "Never Reviewed")},
		{"url": "referralType", "valueCodeableConcept": conceptOf(codeSystem+"eRS-ReferralType-1", kind, "")},
		{"url": "referralRequestVersion", "valueInteger": r.Version},
	}
	if a := r.Appointment; a != nil && a.State == domain.AppointmentBooked {
		lines = append(lines, object{"url": "appointmentStart", "valueDateTime": instant(a.Start)})
	}
	return lines
}

func (v view) referrerLines(list string, r *domain.Referral) []object {
	clinical := r.Specialty
	if r.ClinicType != "" {
		clinical += "/" + r.ClinicType
	}
	lines := []object{
		{"url": "referralCreated", "valueDateTime": instant(r.Created)},
		{"url": "clinicalContext", "valueString": clinical},
		{"url": "referrer", "valueReference": object{"identifier": identifierOf(systemUser, r.Clinician)}},
	}
	if list == flow.LettersOutstanding {
		return append(lines, object{"url": "letterDue", "valueDate": date(r.Created)})
	}
	lines = append(lines, object{"url": "referralLastUpdated", "valueDateTime": instant(r.Updated)},
		object{"url": "status", "valueCodeableConcept": concept(listState(r.State))})
	if r.Reason.Code != "" {
		lines = append(lines, object{"url": "reason", "valueCodeableConcept": concept(v.reason(r.Reason.Set, r.Reason.Code, domain.ReasonDisplay(r.Reason.Code)))})
	}
	return lines
}

// listState is a state as worklists have it: other codes for two of them, and
// other capitals, than in a ReferralRequest.
func listState(s domain.State) object {
	code, text := string(s), s.Display()
	if s != domain.TriageResponse {
		text = text[:1] + strings.ToLower(text[1:])
	}
	return codingOf(codeSystem+"eRS-ReferralState-1", strings.Replace(code, "APPT_", "APP_", 1), text)
}
