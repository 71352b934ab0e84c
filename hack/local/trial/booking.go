// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// A service of the made-up directory, its specialty, and a patient with a number
// that is set aside for tests.
const (
	service   = "11000"
	specialty = "CARDIOLOGY"
	patient   = "9912003888"
)

// Names of the published API.
const (
	profiles = "https://fhir.nhs.uk/STU3/StructureDefinition/"
	codes    = "https://fhir.nhs.uk/STU3/CodeSystem/"
	ids      = "http://fhir.nhs.net/Id/"
)

// ErrNoSlots says that the service has no free slots: the directory is empty.
var ErrNoSlots = errors.New("service " + service + " has no free slots")

type object = map[string]any

// Booked is an appointment.
type Booked struct {
	UBRN  string
	Start string
}

// Book refers the patient and books the first free slot, by the FHIR API at that
// URL.
func (c Clients) Book(ctx context.Context, base string) (Booked, error) {
	fhir := base + "/FHIR/STU3/"
	slot, err := c.freeSlot(ctx, fhir)
	if err != nil {
		return Booked{}, err
	}
	var referral struct {
		ID   string `json:"id"`
		Meta struct {
			Version string `json:"versionId"`
		} `json:"meta"`
	}
	if err := c.fhir(ctx, http.MethodPost, fhir+"ReferralRequest/$ers.createReferral", newReferral(), &referral); err != nil {
		return Booked{}, fmt.Errorf("create a referral: %w", err)
	}
	appointment := object{
		"resourceType": "Appointment", "meta": profile("eRS-Appointment-1"), "language": "en", "description": "e-Referral Appointment",
		"status": "booked", "start": slot.Start, "end": slot.End,
		"slot":             []object{{"reference": "Slot/" + slot.ID}},
		"incomingReferral": []object{{"reference": "ReferralRequest/" + referral.ID + "/_history/" + referral.Meta.Version}},
		"participant":      []object{participant("ers-service", service), participant("nhs-number", patient)},
	}
	var booked struct {
		Status string `json:"status"`
	}
	if err := c.fhir(ctx, http.MethodPost, fhir+"Appointment", appointment, &booked); err != nil {
		return Booked{}, fmt.Errorf("book: %w", err)
	}
	if booked.Status != "booked" {
		return Booked{}, fmt.Errorf("the appointment of %s is %s, not booked", referral.ID, booked.Status)
	}
	return Booked{UBRN: referral.ID, Start: slot.Start}, nil
}

type freeSlot struct {
	Type  string `json:"resourceType"`
	ID    string `json:"id"`
	Start string `json:"start"`
	End   string `json:"end"`
}

func (c Clients) freeSlot(ctx context.Context, fhir string) (freeSlot, error) {
	query := url.Values{
		"schedule.actor:HealthcareService": {service}, "appointmentType": {"ROUTINE"}, "status": {"free"}, "_count": {"1"}, "page": {"1"},
		"_include": {"Slot:schedule"},
	}
	var found struct {
		Entry []struct {
			Resource freeSlot `json:"resource"`
		} `json:"entry"`
	}
	if err := c.fhir(ctx, http.MethodGet, fhir+"Slot?"+query.Encode(), nil, &found); err != nil {
		// It refuses a service that the directory does not have.
		if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusNotFound {
			return freeSlot{}, fmt.Errorf("%w: %w", ErrNoSlots, err)
		}
		return freeSlot{}, fmt.Errorf("look for slots: %w", err)
	}
	for _, e := range found.Entry {
		if e.Resource.Type == "Slot" {
			return e.Resource, nil
		}
	}
	return freeSlot{}, ErrNoSlots
}

// newReferral shortlists the service for the patient.
func newReferral() object {
	criteria := object{
		"resourceType": "Parameters", "id": "ServiceSearchCriteria-1", "meta": profile("eRS-ServiceSearchCriteria-Parameters-1"),
		"parameter": []object{
			{"name": "priority", "valueCoding": object{"system": codes + "eRS-Priority-1", "code": "ROUTINE"}},
			{"name": "specialty", "valueCoding": object{"system": codes + "SPECIALTY", "code": specialty}},
			{"name": "postcode", "valueString": "LS1 2TW"},
			{"name": "ageAndGenderAppropriate", "valueBoolean": true},
		},
	}
	shortlist := object{
		"resourceType": "List", "status": "current", "mode": "snapshot", "meta": profile("eRS-Shortlist-List-1"),
		"contained": []object{criteria},
		"entry":     []object{{"item": object{"identifier": identifier("ers-service", service)}}},
		"extension": []object{{
			"url": profiles + "Extension-eRS-Shortlist-SearchCriteria-1", "valueReference": object{"reference": "#ServiceSearchCriteria-1"},
		}},
	}
	return object{
		"resourceType": "Parameters", "meta": profile("eRS-CreateReferral-Parameters-1"),
		"parameter": []object{
			{"name": "patient", "valueIdentifier": identifier("nhs-number", patient)},
			{"name": "intentionToAddReferralLetter", "valueCoding": object{"system": codes + "eRS-ReferralLetterIntention-1", "code": "NOT_INTENDING_TO_ADD"}},
			{"name": "firstReminderLetterFollowUpDays", "valueUnsignedInt": 0},
			{"name": "eReferralPathwayStart", "valueInstant": time.Now().UTC().Format("2006-01-02T15:04:05.000Z")},
			{"name": "shortlist", "resource": shortlist},
		},
	}
}

func profile(name string) object          { return object{"profile": []string{profiles + name}} }
func identifier(system, id string) object { return object{"system": ids + system, "value": id} }
func participant(system, id string) object {
	return object{"actor": object{"identifier": identifier(system, id)}, "status": "accepted"}
}

// fhir makes one request of the first member of staff and decodes its answer.
func (c Clients) fhir(ctx context.Context, method, address string, body object, into any) error {
	client, err := c.client("")
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	tokens, err := os.ReadFile(c.path("staff.jwt"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(tokens), "\n")
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	r.Header.Set("Authorization", "Bearer "+first)
	r.Header.Set("NHSD-End-User-Organisation-ODS", Practice)
	r.Header.Set("NHSD-eRS-Business-Function", string(Role))
	r.Header.Set("Accept", "application/fhir+json")
	_, err = do(client, r, into)
	return err
}
