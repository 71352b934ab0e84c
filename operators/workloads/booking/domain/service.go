// SPDX-License-Identifier: Apache-2.0

package domain

import "time"

// Priority of a referral, by its published code (eRS-Priority-1).
type Priority string

const (
	Routine  Priority = "ROUTINE"
	Urgent   Priority = "URGENT"
	TwoWeeks Priority = "TWO_WEEK_WAIT"
)

// Valid reports whether p is a published code.
func (p Priority) Valid() bool { return p == Routine || p == Urgent || p == TwoWeeks }

// Bookable says how a service takes patients (eRS-BookableType-1).
type Bookable string

const (
	DirectlyBookable   Bookable = "DIRECTLY_BOOKABLE"   // slots are booked here
	IndirectlyBookable Bookable = "INDIRECTLY_BOOKABLE" // the patient telephones the provider
	NotBookable        Bookable = "NOT_BOOKABLE"        // triage and assessment services
)

// Service is a bookable service of a provider.
type Service struct {
	ID           int64    // ers-service identifier
	Name         string   // at most 200 characters
	Organisation string   // the provider's ODS code
	Location     string   // where it is held, for people
	Postcode     string   // of the location; outward and inward part separated by a space
	Specialty    string   // code of SPECIALTY
	ClinicType   string   // code of eRS-ClinicType-1; empty means every clinic of the specialty
	Bookable     Bookable //
	Priorities   []Priority
	WaitDays     int       // indicative wait for an appointment, in days
	Provider     string    // base URL of the provider's system; empty: the slots are kept here and nobody is asked
	Updated      time.Time // last change of the row
}

// Accepts reports whether the service takes referrals of this priority.
func (s Service) Accepts(priority Priority) bool {
	for _, p := range s.Priorities {
		if p == priority {
			return true
		}
	}
	return false
}

// Slot is a bookable time at a service.
type Slot struct {
	ID        int64
	ServiceID int64
	Reference string // the provider's own reference (alternative-slot, "USRN"), unique within the service
	Start     time.Time
	End       time.Time
	Clinician string // SDS user id of a named clinician; empty when any
	Free      bool
}

// SlotOffer is a slot as a provider's system lists it.
type SlotOffer struct {
	Reference string
	Start     time.Time
	End       time.Time
	Clinician string
}
