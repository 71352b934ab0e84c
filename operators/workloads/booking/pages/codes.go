// SPDX-License-Identifier: Apache-2.0

package pages

import "spine.nhs.uk/controlplane/operators/workloads/booking/domain"

// code is a published code and its text for people.
type code struct{ Code, Name string }

// specialties are codes of SPECIALTY that services are offered under, by name.
var specialties = []code{
	{"ALLERGY", "Allergy"},
	{"AUDIOLOGICAL_MEDICINE", "Audiological medicine"},
	{"CARDIOLOGY", "Cardiology"},
	{"DERMATOLOGY", "Dermatology"},
	{"DIABETIC_MEDICINE", "Diabetic medicine"},
	{"EAR_NOSE_AND_THROAT", "Ear, nose and throat"},
	{"ENDOCRINOLOGY", "Endocrinology"},
	{"GASTROENTEROLOGY", "Gastroenterology"},
	{"GERIATRIC_MEDICINE", "Geriatric medicine"},
	{"GYNAECOLOGY", "Gynaecology"},
	{"HAEMATOLOGY", "Haematology"},
	{"NEPHROLOGY", "Nephrology"},
	{"NEUROLOGY", "Neurology"},
	{"OPHTHALMOLOGY", "Ophthalmology"},
	{"ORTHOPAEDICS", "Orthopaedics"},
	{"PAIN_MANAGEMENT", "Pain management"},
	{"RESPIRATORY_MEDICINE", "Respiratory medicine"},
	{"RHEUMATOLOGY", "Rheumatology"},
	{"UROLOGY", "Urology"},
}

var priorities = []code{
	{string(domain.Routine), "Routine"},
	{string(domain.Urgent), "Urgent"},
	{string(domain.TwoWeeks), "Two week wait"},
}

// reasonsFor is why an appointment may be cancelled: by the patient, by a referrer on the patient's behalf, or by the
// provider.
func reasonsFor(who domain.Caller) domain.ReasonSet {
	if who.Provides() {
		return domain.ProviderCancelReasons
	}
	return domain.AppointmentReasons
}

// reasonName is a reason as patients would say it; the published text is written about them.
func reasonName(r domain.ReasonCode) string {
	switch r.Code {
	case "PATIENT_ILL":
		return "Ill on that day"
	case "PATIENT_HOLIDAY":
		return "Away on that day"
	case "PATIENT_APPOINTMENT_CLASH":
		return "Another appointment at the same time"
	case "PATIENT_APPOINTMENT_CANCELLATION_OTHER":
		return "Another reason"
	default:
		return r.Display
	}
}

func find(codes []code, wanted string) (code, bool) {
	for _, c := range codes {
		if c.Code == wanted {
			return c, true
		}
	}
	return code{}, false
}

// specialtyName falls back to the code: services may be entered under any published code.
func specialtyName(wanted string) string {
	if c, ok := find(specialties, wanted); ok {
		return c.Name
	}
	return wanted
}

func priorityName(p domain.Priority) string {
	c, _ := find(priorities, string(p))
	return c.Name
}

func bookableText(b domain.Bookable) string {
	switch b {
	case domain.DirectlyBookable:
		return "Book here"
	case domain.IndirectlyBookable:
		return "Book by telephone with the provider"
	default:
		return "The provider arranges the appointment"
	}
}

// stateText says where a referral stands, to somebody who does not know the codes.
func stateText(r *domain.Referral) string {
	if r.Appointment != nil && r.Appointment.State == domain.AppointmentPending {
		return "Waiting for the provider's system to confirm: open this page again in a minute"
	}
	switch r.State {
	case domain.NotBooked:
		return "Not booked yet"
	case domain.Booked:
		return "Booked"
	case domain.DeferredToProvider:
		return "The provider will contact you with an appointment"
	case domain.AwaitingTriage:
		return "The provider is looking at the referral"
	case domain.Rejected:
		return "Sent back to the referrer: ask your GP surgery what happens next"
	case domain.CancelledReferral:
		return "The referral was cancelled"
	case domain.CancelledByPatient:
		return "The appointment was cancelled: book another one"
	case domain.CancelledByProvider:
		return "The provider cancelled the appointment: book another one"
	case domain.DidNotAttend:
		return "The appointment was missed: book another one"
	default:
		return r.State.Display()
	}
}
