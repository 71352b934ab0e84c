// SPDX-License-Identifier: Apache-2.0

package domain

// The published sets of reference data that reasons come from.
const (
	AppointmentReasonSet = "APPOINTMENT-CANCELLATION-REASON"
	ReferralReasonSet    = "REFERRAL-CANCELLATION-REASON"
)

// ReasonCode is one entry of a reference data set.
type ReasonCode struct {
	Code    string
	Display string
	Comment bool // a comment is mandatory
}

// ReasonSet is the codes of a set that fit one use.
type ReasonSet struct {
	Name  string
	Codes []ReasonCode
}

// The codes are those that appear in the published specification and its
// examples; the full sets are reference data of the live service.
var (
	// AppointmentReasons: by the patient, or by the referrer for the patient.
	AppointmentReasons = ReasonSet{AppointmentReasonSet, []ReasonCode{
		{"PATIENT_ILL", "Patient is ill", false},
		{"PATIENT_HOLIDAY", "Patient on holiday", false},
		{"PATIENT_APPOINTMENT_CLASH", "Patient - Clashes with another appointment", false},
		{"PATIENT_APPOINTMENT_CANCELLATION_OTHER", "Patient - Other", true},
	}}
	// ProviderCancelReasons: by the provider, to be acted on later.
	ProviderCancelReasons = ReasonSet{"eRS-ReviewOutcome-1", []ReasonCode{
		{"CANCEL_APPOINTMENT_ACTION_LATER", "Cancel Appointment Action Later", true},
	}}
	// RejectionReasons: the provider sends the referral back.
	RejectionReasons = ReasonSet{AppointmentReasonSet, []ReasonCode{
		{"SERVICE_INAPPROPRIATE", "Inappropriate service", false},
		{"FURTHER_INFORMATION_REQUIRED", "Further information required", false},
		{"OTHER", "Other", true},
	}}
	// ReferralReasons: the referral ends.
	ReferralReasons = ReasonSet{ReferralReasonSet, []ReasonCode{
		{"INTEND_PRIVATE", "Patient will go to a private clinic", false},
		{"PATIENT_REQUEST_CANCELLATION_OTHER", "Other - Patient request cancellation", true},
		{"RAISED_IN_ERROR", "Raised in error", false},
		{"REFERRER_CANCELLATION", "Other - Referrer request cancellation", true},
		{"TREATMENT_NO_LONGER_REQUIRED", "Referral no longer needed", false},
		{"BOOKED_OUTSIDE_CAB", "Booked outside the e-Referral Service", false},
		{"OUTPATIENT_SERVICE_NA", "Outpatient service not available", false},
	}}
)

// Check is nil when the reason fits this use.
func (s ReasonSet) Check(r Reason) error {
	for _, c := range s.Codes {
		if c.Code != r.Code {
			continue
		}
		if c.Comment && r.Comment == "" {
			return &RuleError{Code: "MISSING_VALUE", Why: "'comment' is missing: this reason needs one"}
		}
		return nil
	}
	return &RuleError{Code: "INAPPROPRIATE_VALUE", Why: "'reason' The reason provided is not valid in this case: choose a current one of " + s.Name}
}

// ReasonDisplay is the text of a code; empty when the code is unknown.
func ReasonDisplay(code string) string {
	for _, set := range []ReasonSet{AppointmentReasons, ProviderCancelReasons, RejectionReasons, ReferralReasons} {
		for _, c := range set.Codes {
			if c.Code == code {
				return c.Display
			}
		}
	}
	return ""
}
