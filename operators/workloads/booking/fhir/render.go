// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// jsonObject keeps a contained resource as it was sent.
type jsonObject struct{ raw []byte }

// UnmarshalJSON implements json.Unmarshaler.
func (o *jsonObject) UnmarshalJSON(raw []byte) error {
	o.raw = append(o.raw[:0], raw...)
	return nil
}

func (c *call) referralAnswer(status int, r *domain.Referral) *answer {
	return &answer{status: status, body: c.view().referral(r), version: r.Version}
}

// referral is the resource ReferralRequest (eRS-ReferralRequest-1).
func (v view) referral(r *domain.Referral) object {
	extensions := []object{
		{"url": structure + "Extension-eRS-ReferralPriority-1", "valueCodeableConcept": conceptOf(codeSystem+"eRS-Priority-1", string(r.Priority), display(string(r.Priority)))},
		{"url": structure + "Extension-eRS-eReferralPathwayStart-1", "valueInstant": instant(r.Pathway)},
		{"url": structure + "Extension-eRS-ReferralShortlist-1", "valueReference": object{"reference": "#shortlist"}},
		{"url": structure + "Extension-eRS-Commissioning-Rule-Org-1", "valueIdentifier": identifierOf(systemODS, r.Referrer)},
		{"url": structure + "Extension-eRS-ReferralState-1", "extension": v.state(r)},
	}
	contained := []object{v.criteria(r), v.shortlist(r)}
	if a := r.Appointment; a != nil {
		extensions = append(extensions,
			object{"url": structure + "Extension-eRS-Appointment-Reference-1", "valueReference": object{"reference": "Appointment/" + strconv.FormatInt(a.ID, 10)}},
			object{"url": structure + "Extension-eRS-Appointment-1", "valueReference": object{"reference": "#appointment"}})
		contained = append(contained, v.appointment(r, a, "appointment"))
	}
	status := "active"
	if r.State == domain.CancelledReferral {
		status = "cancelled"
	}
	return object{
		"id": string(r.UBRN), "resourceType": "ReferralRequest", "meta": object{"versionId": strconv.Itoa(r.Version), "profile": []string{profileReferral}},
		"extension": extensions, "contained": contained, "status": status, "intent": "plan",
		"specialty":      concept(v.specialty(r.Specialty, display(r.Specialty))),
		"subject":        object{"identifier": identifierOf(systemNHSNumber, r.Patient.Digits())},
		"supportingInfo": []object{},
		"identifier":     []object{identifierOf(systemRequest, "r."+r.RequestID)},
	}
}

func (v view) state(r *domain.Referral) []object {
	list := []object{{"url": "state", "valueCoding": codingOf(codeSystem+"eRS-ReferralState-1", string(r.State), r.State.Display())}}
	if r.Reason.Code != "" {
		list = append(list, object{"url": "reason", "valueCoding": v.reason(r.Reason.Set, r.Reason.Code, domain.ReasonDisplay(r.Reason.Code))})
	}
	if r.Reason.Comment != "" {
		list = append(list, object{"url": "comments", "valueString": r.Reason.Comment})
	}
	return list
}

func (v view) criteria(r *domain.Referral) object {
	list := []object{
		{"name": "priority", "valueCoding": codingOf(codeSystem+"eRS-Priority-1", string(r.Priority), "")},
		{"name": "specialty", "valueCoding": v.specialty(r.Specialty, "")},
		{"name": "ageAndGenderAppropriate", "valueBoolean": false},
		{"name": "commissioningProvisioning", "valueCoding": codingOf(codeSystem+"eRS-CommissioningProvisioning-1", "ALL_AVAILABLE_FOR_BOOKING", "")},
	}
	if r.ClinicType != "" {
		list = append(list, object{"name": "clinicType", "valueCoding": codingOf(codeSystem+"eRS-ClinicType-1", r.ClinicType, "")})
	}
	return object{"id": "serviceSearchCriteria", "resourceType": "Parameters", "meta": profile(profileCriteria), "parameter": list}
}

func (view) shortlist(r *domain.Referral) object {
	entries := make([]object, len(r.Shortlist))
	for i, entry := range r.Shortlist {
		entries[i] = object{"item": object{"identifier": identifierOf(systemService, strconv.FormatInt(entry.ServiceID, 10)), "display": entry.Name}}
	}
	return object{"id": "shortlist", "resourceType": "List", "meta": profile(profileShortlist), "status": "current", "mode": "snapshot",
		"extension": []object{{"url": structure + "Extension-eRS-Shortlist-SearchCriteria-1", "valueReference": object{"reference": "#serviceSearchCriteria"}}},
		"entry":     entries}
}

// appointmentStatus is FHIR's status of each state.
var appointmentStatus = map[domain.AppointmentState]string{
	domain.AppointmentBooked: "booked", domain.AppointmentDeferred: "proposed", domain.AppointmentTriage: "proposed",
	domain.AppointmentCancelled: "cancelled", domain.AppointmentRejected: "cancelled",
}

// appointment is the resource Appointment (eRS-Appointment-1).
func (v view) appointment(r *domain.Referral, a *domain.Appointment, id string) object {
	participants := []object{
		{"actor": object{"identifier": identifierOf(systemService, strconv.FormatInt(a.ServiceID, 10)), "display": a.ServiceName}, "status": "accepted"},
		{"actor": object{"identifier": identifierOf(systemNHSNumber, r.Patient.Digits())}, "status": "accepted"},
	}
	if a.Clinician != "" {
		participants = append(participants, object{"type": conceptOf(systemParticipant, "CON", ""),
			"actor": object{"identifier": identifierOf(systemUser, a.Clinician)}, "status": "accepted"})
	}
	o := object{
		"id": id, "resourceType": "Appointment", "language": "en", "description": "e-Referral Appointment",
		"meta":             object{"versionId": strconv.Itoa(a.Version), "profile": []string{profileAppointment, careConnect + "Appointment-1"}},
		"status":           appointmentStatus[a.State],
		"created":          instant(a.Created),
		"incomingReferral": []object{{"reference": "ReferralRequest/" + string(r.UBRN) + "/_history/" + strconv.Itoa(r.Version)}},
		"participant":      participants,
	}
	if a.State == domain.AppointmentBooked {
		o["start"], o["end"] = instant(a.Start), instant(a.End)
		o["slot"] = []object{{"reference": "Slot/" + strconv.FormatInt(a.SlotID, 10)}}
	}
	if a.Reason.Code != "" {
		o["reason"] = []object{concept(v.reason(a.Reason.Set, a.Reason.Code, domain.ReasonDisplay(a.Reason.Code)))}
	}
	if a.Reason.Comment != "" {
		o["comment"] = a.Reason.Comment
	}
	return o
}

// newID is the id of a bundle.
func newID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}
