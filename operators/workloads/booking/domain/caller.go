// SPDX-License-Identifier: Apache-2.0

package domain

// Role is a business function, by its published code; Patient is our own, for
// the pages.
type Role string

const (
	ReferringClinician      Role = "REFERRING_CLINICIAN"
	ReferringClinicianAdmin Role = "REFERRING_CLINICIAN_ADMIN"
	ReferringAdmin          Role = "REFERRING_ADMIN"
	ProviderClinician       Role = "SERVICE_PROVIDER_CLINICIAN"
	ProviderAdmin           Role = "SERVICE_PROVIDER_ADMIN"
	ProviderClinicianAdmin  Role = "SERVICE_PROVIDER_CLINICIAN_ADMIN"
	PatientRole             Role = "PATIENT"
)

// Roles lists the roles that a token may carry (a patient has no token).
func Roles() []Role {
	return []Role{ReferringClinician, ReferringClinicianAdmin, ReferringAdmin, ProviderClinician, ProviderAdmin, ProviderClinicianAdmin}
}

// Caller is who asks, as authenticated.
type Caller struct {
	Application  string // client id of the calling system; rate limits count by it
	User         string // SDS user id; empty for a patient
	Organisation string // ODS code the user acts for; empty for a patient
	Role         Role
	UBRN         UBRN // the one referral of a signed-in patient; else empty
}

// Refers reports whether the caller acts for a referring organisation.
func (c Caller) Refers() bool {
	return c.Role == ReferringClinician || c.Role == ReferringClinicianAdmin || c.Role == ReferringAdmin
}

// Provides reports whether the caller acts for a provider.
func (c Caller) Provides() bool {
	return c.Role == ProviderClinician || c.Role == ProviderAdmin || c.Role == ProviderClinicianAdmin
}

// Act is something a caller wants to do.
type Act string

const (
	ActSearch            Act = "search services"
	ActCreate            Act = "create a referral"
	ActRead              Act = "read a referral"
	ActSlots             Act = "see slots"
	ActBook              Act = "book or defer an appointment"
	ActCancelAppointment Act = "cancel an appointment"
	ActCancelReferral    Act = "cancel a referral"
	ActReview            Act = "accept or reject a referral"
	ActWorklist          Act = "see a worklist"
)

// allowed is which roles may do what, before whose referral it is.
var allowed = map[Act][]Role{
	ActSearch:            {ReferringClinician, ReferringClinicianAdmin, PatientRole},
	ActCreate:            {ReferringClinician, ReferringClinicianAdmin},
	ActRead:              {ReferringClinician, ReferringClinicianAdmin, ReferringAdmin, ProviderClinician, ProviderAdmin, ProviderClinicianAdmin, PatientRole},
	ActSlots:             {ReferringClinician, ReferringClinicianAdmin, PatientRole},
	ActBook:              {ReferringClinician, ReferringClinicianAdmin, PatientRole},
	ActCancelAppointment: {ReferringClinician, ReferringClinicianAdmin, ProviderClinician, ProviderClinicianAdmin, PatientRole},
	ActCancelReferral:    {ReferringClinician, ReferringClinicianAdmin, ProviderClinician, ProviderClinicianAdmin},
	ActReview:            {ProviderClinician, ProviderClinicianAdmin},
	ActWorklist:          Roles(),
}

// May is nil when the caller's role allows act, else a *ForbiddenError.
func (c Caller) May(act Act) error {
	for _, role := range allowed[act] {
		if role == c.Role {
			return nil
		}
	}
	return &ForbiddenError{Why: "role " + string(c.Role) + " may not " + string(act)}
}

// Owns is nil when the referral is the caller's to act on: made by the
// caller's organisation, held by it, or the signed-in patient's own.
func (c Caller) Owns(r *Referral) error {
	switch {
	case c.Role == PatientRole && c.UBRN == r.UBRN:
		return nil
	case c.Refers() && c.Organisation != "" && c.Organisation == r.Referrer:
		return nil
	case c.Provides() && c.Organisation != "" && c.Organisation == r.Provider:
		return nil
	}
	return &ForbiddenError{Why: "this referral belongs to another organisation: ask the referrer or the provider that holds it"}
}
