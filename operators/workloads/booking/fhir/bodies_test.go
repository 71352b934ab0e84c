// SPDX-License-Identifier: Apache-2.0

package fhir

// Short bodies in the published shapes.
const (
	criteriaBody = `{"resourceType":"Parameters","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-ServiceSearchCriteria-Parameters-1"]},
 "id":"ServiceSearchCriteria-1","parameter":[
 {"name":"priority","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-Priority-1","code":"URGENT"}},
 {"name":"specialty","valueCoding":{"system":"_baseUrl_/STU3/CodeSystem/SPECIALTY","code":"CARDIOLOGY"}},
 {"name":"postcode","valueString":"LS1 2TW"},{"name":"ageAndGenderAppropriate","valueBoolean":true}]}`

	searchBody = `{"resourceType":"Parameters","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-PatientServiceSearch-Parameters-1"]},"parameter":[
 {"name":"requestType","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-RequestType-1","code":"APPOINTMENT_REQUEST"}},
 {"name":"sortBy","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-SortBy-1","code":"DISTANCE"}},
 {"name":"patient","valueIdentifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9912003888"}},
 {"name":"searchCriteria","resource":` + criteriaBody + `}]}`

	createBody = `{"resourceType":"Parameters","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-CreateReferral-Parameters-1"]},"parameter":[
 {"name":"patient","valueIdentifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9912003888"}},
 {"name":"intentionToAddReferralLetter","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-ReferralLetterIntention-1","code":"NEED_TO_ADD_LATER"}},
 {"name":"firstReminderLetterFollowUpDays","valueUnsignedInt":0},
 {"name":"eReferralPathwayStart","valueInstant":"2026-02-01T09:55:00.000Z"},
 {"name":"shortlist","resource":{"meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-Shortlist-List-1"]},"resourceType":"List","status":"current","mode":"snapshot",
  "contained":[` + criteriaBody + `],"entry":[{"item":{"identifier":{"system":"http://fhir.nhs.net/Id/ers-service","value":"11002"}}}],
  "extension":[{"url":"https://fhir.nhs.uk/STU3/StructureDefinition/Extension-eRS-Shortlist-SearchCriteria-1","valueReference":{"reference":"#ServiceSearchCriteria-1"}}]}}]}`

	participants = `"participant":[{"actor":{"identifier":{"system":"http://fhir.nhs.net/Id/ers-service","value":"11002"}},"status":"accepted"},
 {"actor":{"identifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9912003888"}},"status":"accepted"},
 {"type":{"coding":[{"system":"http://hl7.org/fhir/ValueSet/encounter-participant-type","code":"CON"}]},
  "actor":{"identifier":{"system":"http://fhir.nhs.net/Id/sds-user-id","value":"921600556514"}},"status":"accepted"}]`
	appointmentHead = `{"id":"appointment","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-Appointment-1"]},"language":"en",
 "resourceType":"Appointment","description":"e-Referral Appointment","incomingReferral":[{"reference":"ReferralRequest/000000070000/_history/6"}],` + participants

	bookBody   = appointmentHead + `,"status":"booked","start":"2026-03-05T09:30:00+00:00","end":"2026-03-05T10:30:00+00:00","slot":[{"reference":"Slot/11002001"}]}`
	deferBody  = appointmentHead + `,"status":"proposed","comment":"no slots","reason":[{"coding":[{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-ReviewReason-1","code":"NO_SLOTS_AT_SERVICE"}]}]}`
	cancelBody = appointmentHead + `,"status":"cancelled","reason":[{"coding":[{"system":"_baseUrl_/STU3/CodeSystem/APPOINTMENT-CANCELLATION-REASON","code":"PATIENT_ILL"}]}]}`

	cancelReferralBody = `{"meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-CancelReferral-Request-Parameters-1"]},"resourceType":"Parameters","parameter":[
 {"name":"cancellationReason","valueCoding":{"system":"_baseurl_/STU3/CodeSystem/REFERRAL-CANCELLATION-REASON","code":"INTEND_PRIVATE"}},{"name":"cancellationComments","valueString":"short"}]}`
	rejectBody = `{"meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-RejectReferral-Parameters-1"]},"resourceType":"Parameters","parameter":[
 {"name":"rejectionReason","valueCoding":{"system":"_baseurl_/STU3/CodeSystem/APPOINTMENT-CANCELLATION-REASON","code":"SERVICE_INAPPROPRIATE"}},{"name":"rejectionComments","valueString":"short"}]}`
	laterBody = `{"meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-cancelAppointmentActionLater-Parameters-1"]},"resourceType":"Parameters",
 "parameter":[{"name":"comments","valueString":"Please rebook"}]}`
	listBody = `{"resourceType":"Parameters","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-FetchWorklist-Parameters-1"]},"parameter":[
 {"name":"listType","valueCodeableConcept":{"coding":[{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-ReferralListSelector-1","code":"%s"}]}}]}`
	slotQueryText = "Slot?schedule.actor:HealthcareService=11002&appointmentType=ROUTINE&status=free&_count=2&page=2&_include=Slot:schedule"
)
