// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"net/http"
	"sort"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// criteria are the search criteria, as searched and as kept with a shortlist.
type criteria struct {
	priority   domain.Priority
	specialty  string
	clinicType string
	postcode   string
	waitLimit  int // days; 0: none
}

var criteriaNames = []string{"priority", "specialty", "clinicType", "indicativeAppointmentWaitTimeLimit", "postcode", "distanceLimit", "clinicalTerm",
	"namedClinician", "ageAndGenderAppropriate", "commissioningProvisioning", "organisation"}

func (f *fields) criteria(body []byte, path string) (criteria, error) {
	p, err := decodeParameters(body, path, criteriaNames...)
	if err != nil {
		return criteria{}, err
	}
	c := criteria{priority: domain.Priority(f.code(p["priority"], path+"priority", true)), specialty: f.code(p["specialty"], path+"specialty", false),
		clinicType: f.code(p["clinicType"], path+"clinicType", false), postcode: f.text(p["postcode"], path+"postcode")}
	if c.priority != "" && !c.priority.Valid() {
		f.bad(path+"priority", "ROUTINE, URGENT or TWO_WEEK_WAIT", "choose one of them")
	}
	if c.specialty == "" {
		f.bad(path+"specialty", "a specialty", "this service searches by specialty: a clinical term or a named clinician alone is not enough")
	}
	if limit := p["indicativeAppointmentWaitTimeLimit"].ValueUnsignedInt; limit != nil {
		c.waitLimit = int(min(*limit, 9999))
	}
	if p["ageAndGenderAppropriate"].ValueBoolean == nil {
		f.bad(path+"ageAndGenderAppropriate", "true or false", "send it as the published example does")
	}
	return c, nil
}

// searchServices is A010.
func (a *api) searchServices(c *call) (*answer, error) {
	p, err := decodeParameters(c.body, "", "requestType", "sortBy", "patient", "searchCriteria", "referringClinician", "commissioningRuleOrganisation")
	if err != nil {
		return nil, err
	}
	f := &fields{}
	if kind := f.code(p["requestType"], "requestType", true); kind != "" && kind != "APPOINTMENT_REQUEST" {
		f.bad("requestType", "APPOINTMENT_REQUEST", "this service has no advice and guidance")
	}
	sortBy := f.code(p["sortBy"], "sortBy", true)
	if sortBy != "" && sortBy != "DISTANCE" && sortBy != "IWT" {
		f.bad("sortBy", "DISTANCE or IWT", "choose one of them")
	}
	f.patient(p["patient"])
	var by criteria
	if p["searchCriteria"].Resource == nil {
		f.bad("searchCriteria", "the search criteria", "send it as the published example does")
	} else if by, err = f.criteria(p["searchCriteria"].Resource, "searchCriteria/"); err != nil {
		return nil, err
	}
	if err := f.problems.OrNil(); err != nil {
		return nil, err
	}
	q := flow.ServiceQuery{Specialty: by.specialty, ClinicType: by.clinicType, Priority: by.priority, Limit: 50}
	if sortBy == "DISTANCE" {
		q.Postcode = by.postcode
	}
	found, err := a.desk.Services(c.Context(), c.who, q)
	if err != nil {
		return nil, err
	}
	entries := make([]object, 0, len(found))
	for _, s := range found {
		if by.waitLimit == 0 || s.WaitDays <= by.waitLimit {
			entries = append(entries, c.view().service(s))
		}
	}
	return &answer{status: http.StatusOK, version: -1, body: object{"resourceType": "List", "meta": profile(profileServices),
		"status": "current", "mode": "snapshot", "entry": entries}}, nil
}

func (v view) service(s domain.Service) object {
	flowType, bookable := "APPOINTMENT_REQUEST", string(s.Bookable)
	if s.Bookable == domain.NotBookable {
		flowType, bookable = "TRIAGE_REQUEST", "UNSPECIFIED"
	}
	return object{
		"extension": []object{{"url": structure + "Extension-eRS-ServiceSearch-ListItem-1", "extension": []object{
			{"url": "displayProminently", "valueBoolean": false},
			{"url": "indicativeAppointmentWaitTime", "valueUnsignedInt": s.WaitDays},
		}}},
		"item": object{
			"identifier": identifierOf(systemService, strconv.FormatInt(s.ID, 10)),
			"extension": []object{{"url": structure + "Extension-eRS-ServiceSummaryView-1", "extension": []object{
				{"url": "serviceName", "valueString": s.Name},
				{"url": "specialty", "valueCodeableConcept": concept(v.specialty(s.Specialty, ""))},
				{"url": "genderTreated", "valueCodeableConcept": conceptOf(codeSystem+"eRS-GenderTreated-1", "MALE_AND_FEMALE", "")},
				{"url": "bookableType", "valueCodeableConcept": conceptOf(codeSystem+"eRS-BookableType-1", bookable, "")},
				{"url": "referralLetterRequired", "valueBoolean": true},
				{"url": "location", "valueReference": object{"identifier": identifierOf(systemOrganisation, s.Organisation), "display": s.Location}},
				{"url": "supportedRequestFlowType", "valueCodeableConcept": conceptOf(codeSystem+"eRS-RequestFlowType-1", flowType, "")},
			}}},
		},
	}
}

// slotQuery reads the parameters of A015. All of its errors are 400.
func slotQuery(c *call) (flow.SlotQuery, string, error) {
	f := &fields{}
	v := c.URL.Query()
	known := []string{"schedule.actor:HealthcareService", "schedule.actor:Practitioner", "appointmentType", "status", "_count", "page", "_include"}
	for name, values := range v {
		isKnown := false
		for _, k := range known {
			isKnown = isKnown || k == name
		}
		if !isKnown || len(values) != 1 {
			f.bad(firstRunes(name, 40), "a known parameter, once", "see the published operation A015")
		}
	}
	q := flow.SlotQuery{Service: f.number("schedule.actor:HealthcareService", v.Get("schedule.actor:HealthcareService")),
		Clinician: v.Get("schedule.actor:Practitioner")}
	if !domain.Priority(v.Get("appointmentType")).Valid() {
		f.bad("appointmentType", "ROUTINE, URGENT or TWO_WEEK_WAIT", "choose one of them")
	}
	if v.Get("status") != "free" {
		f.bad("status", "free", "only free slots can be asked for")
	}
	if len(q.Clinician) > 64 {
		f.bad("schedule.actor:Practitioner", "an SDS user id", "send at most 64 characters")
	}
	q.Count = int(min(f.number("_count", v.Get("_count")), 1000))
	q.Page = int(min(f.number("page", v.Get("page")), 100_000))
	if q.Count > 100 {
		f.bad("_count", "1 to 100", "ask for at most 100 slots a page")
	}
	if err := f.problems.OrNil(); err != nil {
		return q, "", &headerError{err}
	}
	return q, v.Get("appointmentType"), nil
}

func firstRunes(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// slotsOf is A015.
func (a *api) slotsOf(c *call) (*answer, error) {
	q, priority, err := slotQuery(c)
	if err != nil {
		return nil, err
	}
	page, err := a.desk.Slots(c.Context(), c.who, q)
	if err != nil {
		return nil, badRequest(err)
	}
	self := c.view().base + "/STU3/Slot?schedule.actor%3AHealthcareService=" + strconv.FormatInt(q.Service, 10) + "&appointmentType=" + priority +
		"&_count=" + strconv.Itoa(q.Count) + "&status=free&_include=Slot%3Aschedule&page="
	links := []object{{"relation": "self", "url": self + strconv.Itoa(page.Page)}}
	if page.Page > 1 {
		links = append(links, object{"relation": "previous", "url": self + strconv.Itoa(page.Page-1)})
	}
	if page.Page*q.Count < page.Total {
		links = append(links, object{"relation": "next", "url": self + strconv.Itoa(page.Page+1)})
	}
	return &answer{status: http.StatusOK, version: -1, body: object{"id": newID(), "resourceType": "Bundle", "type": "searchset",
		"meta": object{"profile": []string{profileBundle}, "lastUpdated": instant(a.Now())}, "total": page.Total, "link": links,
		"entry": c.view().slots(page.Slots)}}, nil
}

func (v view) slots(slots []domain.Slot) []object {
	entries := make([]object, 0, len(slots)+2)
	schedules := map[string]domain.Slot{}
	for _, t := range slots {
		id, schedule := strconv.FormatInt(t.ID, 10), scheduleOf(t)
		schedules[schedule] = t
		entries = append(entries, object{"fullUrl": v.base + "/STU3/Slot/" + id, "search": object{"mode": "match"}, "resource": object{
			"id": id, "resourceType": "Slot", "meta": profile(careConnect + "Slot-1"), "identifier": []object{identifierOf(systemSlot, t.Reference)},
			"schedule": object{"reference": "Schedule/" + schedule}, "status": "free", "start": instant(t.Start), "end": instant(t.End)}})
	}
	names := make([]string, 0, len(schedules))
	for name := range schedules {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		t := schedules[name]
		actors := []object{{"identifier": identifierOf(systemService, strconv.FormatInt(t.ServiceID, 10))}}
		if t.Clinician != "" {
			actors = append(actors, object{"identifier": identifierOf(systemUser, t.Clinician)})
		}
		entries = append(entries, object{"fullUrl": v.base + "/STU3/Schedule/" + name, "search": object{"mode": "include"}, "resource": object{
			"id": name, "resourceType": "Schedule", "meta": profile(careConnect + "Schedule-1"),
			"identifier": []object{identifierOf(systemSchedule, name)}, "actor": actors}})
	}
	return entries
}

// scheduleOf is the id of a slot's schedule: one for each clinician of a
// service, and one for slots of any clinician.
func scheduleOf(t domain.Slot) string {
	id := strconv.FormatInt(t.ServiceID, 10)
	if t.Clinician != "" {
		id += "-" + t.Clinician
	}
	return id
}
