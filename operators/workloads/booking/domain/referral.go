// SPDX-License-Identifier: Apache-2.0

package domain

import "time"

// Referral is a patient's referral.
type Referral struct {
	UBRN       UBRN
	Version    int // counts changes, from 1; ETag W/"n"
	RequestID  string
	State      State
	Reason     Reason // why it is in this state; zero when there is nothing to say
	Patient    NHSNumber
	Referrer   string // ODS code of the organisation that refers
	Clinician  string // SDS user id of the referring clinician
	Provider   string // ODS code of the provider that holds it now; empty when none
	Priority   Priority
	Specialty  string
	ClinicType string
	Shortlist  []ShortlistEntry // 1 to 20 services
	Letter     LetterIntention
	Reviewed   bool      // the provider accepted it
	Pathway    time.Time // e-referral pathway start; zero: creation
	Created    time.Time
	Updated    time.Time
	// Appointment is the current (last) one; nil when none was ever arranged.
	Appointment *Appointment
}

// ShortlistEntry is one service of a shortlist.
type ShortlistEntry struct {
	ServiceID int64
	Name      string // as it was when shortlisted
}

// MaxShortlist is the published bound of a shortlist.
const MaxShortlist = 20

// Shortlisted reports whether the referral's shortlist holds the service.
func (r *Referral) Shortlisted(service int64) bool {
	for _, entry := range r.Shortlist {
		if entry.ServiceID == service {
			return true
		}
	}
	return false
}

// LetterIntention is the published code (eRS-ReferralLetterIntention-1).
type LetterIntention string

// Reason explains a state: a code of a published set and a comment.
type Reason struct {
	Set     string // for example APPOINTMENT-CANCELLATION-REASON, or eRS-ReviewReason-1
	Code    string
	Comment string // at most 1000 characters; free text: never logged
}

// AppointmentState is where an appointment stands.
type AppointmentState string

const (
	AppointmentPending   AppointmentState = "PENDING"   // slot held, the provider is being asked
	AppointmentBooked    AppointmentState = "BOOKED"    // confirmed
	AppointmentDeferred  AppointmentState = "DEFERRED"  // an ASI: the provider arranges it
	AppointmentTriage    AppointmentState = "TRIAGE"    // at a triage service
	AppointmentCancelled AppointmentState = "CANCELLED" // ended by patient, referrer or provider
	AppointmentRejected  AppointmentState = "REJECTED"  // ended by the provider's review
	AppointmentFailed    AppointmentState = "FAILED"    // the provider refused the slot; never was an appointment
)

// Appointment is one arrangement at a service.
type Appointment struct {
	ID          int64
	Version     int // from 0, as published
	UBRN        UBRN
	ServiceID   int64
	ServiceName string
	SlotID      int64 // 0 when deferred or at triage
	Start       time.Time
	End         time.Time
	Clinician   string
	State       AppointmentState
	Reason      Reason // review reason (deferred), or cancellation reason
	Created     time.Time
}

// Review reasons of a deferred appointment (eRS-ReviewReason-1).
const (
	ReviewReasonSet       = "eRS-ReviewReason-1"
	NoSlotsAtService      = "NO_SLOTS_AT_SERVICE"
	SlotNotAvailable      = "SLOT_NOT_AVAILABLE"
	BookingAttemptProblem = "BOOKING_ATTEMPT_PROBLEM" // includes: no answer within 2 minutes
	ReviewTriage          = "TRIAGE"
)
