// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// ServiceQuery selects services for a patient.
type ServiceQuery struct {
	Specialty  string
	ClinicType string // empty: any
	Priority   domain.Priority
	Postcode   string // outward part or whole; the same area comes first; empty: by wait
	Named      string // part of the service's or location's name; empty: any
	Limit      int    // 1 to 100; 0 means 50
}

// NewReferral is what a referral is made of.
type NewReferral struct {
	Patient    domain.NHSNumber
	Clinician  string // SDS user id; empty: the caller
	Priority   domain.Priority
	Specialty  string
	ClinicType string
	Shortlist  []int64 // 1 to 20 services, no repeats
	Letter     domain.LetterIntention
	Pathway    time.Time // zero: now; else in the past, at most 365 days
}

// Created is a new referral. AccessCode is what the patient signs in with,
// beside the UBRN; it is shown once and kept only as a hash.
type Created struct {
	Referral   *domain.Referral
	AccessCode string
}

// SlotQuery selects free slots of a service, in order of time.
type SlotQuery struct {
	Service   int64
	From      time.Time // zero: now
	To        time.Time // zero: no end
	Clinician string    // empty: any
	Page      int       // from 1; 0 means 1
	Count     int       // 1 to 100; 0 means 20
}

// SlotPage is one page of free slots.
type SlotPage struct {
	Slots []domain.Slot
	Page  int
	Total int // over all pages
}

// BookSlot books a slot of a shortlisted service. For a referral that is
// booked already it is a rebooking: the old appointment ends in the same
// transaction that confirms the new one, never before.
type BookSlot struct {
	UBRN    domain.UBRN
	Version int // of the referral; 0: whichever is current
	Service int64
	Slot    int64
}

// Deferral asks a provider to arrange the appointment (or, with reason TRIAGE,
// to triage).
type Deferral struct {
	UBRN    domain.UBRN
	Version int
	Service int64
	Slot    int64  // the slot that was wanted; 0: none
	Reason  string // a code of eRS-ReviewReason-1
	Comment string
}

// Worklist names, by their published codes (eRS-ReferralListSelector-1).
const (
	ReferralsForReview     = "REFERRALS_FOR_REVIEW"              // providers: booked or at triage, not reviewed
	AppointmentSlotIssues  = "APPOINTMENT_SLOT_ISSUES"           // providers: deferred to them
	RejectedTriageResponse = "REJECTED_TRIAGE_RESPONSE"          // referrers
	AssessmentCancelledDNA = "ASSESSMENT_RETURNED_CANCELLED_DNA" // referrers
	AwaitingBooking        = "AWAITING_BOOKING"                  // referrers
	LettersOutstanding     = "LETTERS_OUTSTANDING"               // referrers
)

// WorklistQuery selects one list of the caller's organisation.
type WorklistQuery struct {
	List      string
	Service   int64  // 0: any
	Specialty string // empty: any
	Clinician string // empty: any
	Limit     int    // 1 to 1000; 0 means 200; the longest waiting come first
}

// WorklistItem is one line of a worklist.
type WorklistItem struct {
	Referral  domain.Referral // with Appointment when there is one
	Opened    time.Time       // when the ASI was opened, or the referral entered its state
	ContactBy time.Time       // ASI: the day by which the patient should hear; else zero
}
