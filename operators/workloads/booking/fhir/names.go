// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"strings"
	"time"
)

// Published names of systems and profiles.
const (
	systemNHSNumber    = "http://fhir.nhs.net/Id/nhs-number"
	systemService      = "http://fhir.nhs.net/Id/ers-service"
	systemUser         = "http://fhir.nhs.net/Id/sds-user-id"
	systemODS          = "https://fhir.nhs.uk/Id/ods-organization-code"
	systemOrganisation = "https://directory.spineservices.nhs.uk/STU3/Organization"
	systemSlot         = "https://fhir.nhs.uk/Id/alternative-slot"
	systemSchedule     = "https://fhir.nhs.uk/Id/ers-schedule"
	systemRequest      = "https://fhir.nhs.uk/Id/ers-request-id"
	systemParticipant  = "http://hl7.org/fhir/ValueSet/encounter-participant-type"

	codeSystem  = "https://fhir.nhs.uk/STU3/CodeSystem/"
	structure   = "https://fhir.nhs.uk/STU3/StructureDefinition/"
	careConnect = "https://fhir.hl7.org.uk/STU3/StructureDefinition/CareConnect-"
	errorCodes  = codeSystem + "eRS-APIErrorCode-1"

	profileOutcome     = structure + "eRS-OperationOutcome-1"
	profileReferral    = structure + "eRS-ReferralRequest-1"
	profileAppointment = structure + "eRS-Appointment-1"
	profileShortlist   = structure + "eRS-Shortlist-List-1"
	profileCriteria    = structure + "eRS-ServiceSearchCriteria-Parameters-1"
	profileServices    = structure + "eRS-FetchServices-List-1"
	profileWorklist    = structure + "eRS-FetchWorklist-List-1"
	profileCancelled   = structure + "eRS-CancelReferral-Response-Parameters-1"
	profileBundle      = "http://hl7.org/fhir/STU3/StructureDefinition/Bundle"
)

// view renders resources for one caller. base is this API as the caller
// reached it: names of the service's own reference data begin with it.
type view struct{ base string }

func (c *call) view() view { return view{"https://" + c.Host + "/FHIR"} }

// specialty is a code of the service's own reference data.
func (v view) specialty(code, display string) object {
	return codingOf(v.base+"/STU3/CodeSystem/SPECIALTY", code, display)
}

// object is a JSON object.
type object = map[string]any

func profile(urls ...string) object { return object{"profile": urls} }

func codingOf(system, code, display string) object {
	o := object{"system": system, "code": code}
	if display != "" {
		o["display"] = display
	}
	return o
}

func conceptOf(system, code, display string) object {
	return concept(codingOf(system, code, display))
}

func concept(coding object) object { return object{"coding": []object{coding}} }

func identifierOf(system, value string) object { return object{"system": system, "value": value} }

// instant is FHIR's form, to the millisecond, in UTC.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// reason is the coding of a reason: published sets have absolute names,
// reference data is the service's own.
func (v view) reason(set, code, display string) object {
	if strings.HasPrefix(set, "eRS-") {
		return codingOf(codeSystem+set, code, display)
	}
	return codingOf(v.base+"/STU3/CodeSystem/"+set, code, display)
}
