// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"errors"
	"net/http"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// shortlistResource is the List that createReferral carries.
type shortlistResource struct {
	ResourceType string               `json:"resourceType"`
	ID           string               `json:"id"`
	Meta         meta                 `json:"meta"`
	Status       string               `json:"status"`
	Mode         string               `json:"mode"`
	Contained    []jsonObject         `json:"contained"`
	Extension    []shortlistExtension `json:"extension"`
	Entry        []struct {
		Item reference `json:"item"`
	} `json:"entry"`
}

type shortlistExtension struct {
	URL            string    `json:"url"`
	ValueReference reference `json:"valueReference"`
}

// createReferral is A011.
func (a *api) createReferral(c *call) (*answer, error) {
	n, err := newReferral(c.body)
	if err != nil {
		return nil, err
	}
	made, err := a.desk.Refer(c.Context(), c.who, flow.NewKey(c.key(), "A011", n), n)
	if err != nil {
		return nil, err
	}
	got := c.referralAnswer(http.StatusCreated, made.Referral)
	got.headers = map[string]string{"Location": "/FHIR/STU3/ReferralRequest/" + string(made.Referral.UBRN)}
	if made.AccessCode != "" {
		got.headers["X-Access-Code"] = made.AccessCode
	}
	return got, nil
}

// newReferral reads the body of A011.
func newReferral(body []byte) (flow.NewReferral, error) {
	var n flow.NewReferral
	p, err := decodeParameters(body, "", "patient", "referringClinician", "shortlist", "intentionToAddReferralLetter",
		"firstReminderLetterFollowUpDays", "eReferralPathwayStart")
	if err != nil {
		return n, err
	}
	f := &fields{}
	n.Patient = f.patient(p["patient"])
	if id := p["referringClinician"].ValueIdentifier; id != nil {
		if id.System != systemUser || id.Value == "" || len(id.Value) > 64 {
			f.bad("referringClinician", "an identifier of "+systemUser, "send the SDS user id of the referring clinician")
		}
		n.Clinician = id.Value
	}
	n.Letter = domain.LetterIntention(f.code(p["intentionToAddReferralLetter"], "intentionToAddReferralLetter", true))
	if n.Letter != "" && n.Letter != "NEED_TO_ADD_LATER" && n.Letter != "NOT_INTENDING_TO_ADD" {
		f.bad("intentionToAddReferralLetter", "NEED_TO_ADD_LATER or NOT_INTENDING_TO_ADD", "choose one of them")
	}
	if p["firstReminderLetterFollowUpDays"].ValueUnsignedInt == nil {
		f.bad("firstReminderLetterFollowUpDays", "a number of days, from 0", "send it as the published example does")
	}
	if start, given := p["eReferralPathwayStart"]; given {
		n.Pathway = f.instant(start, "eReferralPathwayStart")
	}
	if p["shortlist"].Resource == nil {
		f.bad("shortlist", "the shortlist", "send it as the published example does")
	} else if err := f.shortlist(p["shortlist"].Resource, &n); err != nil {
		return n, err
	}
	return n, f.problems.OrNil()
}

func (f *fields) shortlist(body []byte, n *flow.NewReferral) error {
	var list shortlistResource
	if err := decode(body, &list); err != nil {
		return err
	}
	if list.ResourceType != "List" {
		return &structureError{"INVALID_FHIR_STRUCTURE", "'shortlist/resourceType' must be List"}
	}
	if len(list.Entry) == 0 || len(list.Entry) > domain.MaxShortlist {
		return &structureError{"TOO_MANY_ITEMS", "'shortlist/entry' must have 1 to 20 services"}
	}
	for i, entry := range list.Entry {
		field := "shortlist/entry[" + strconv.Itoa(i) + "]"
		if entry.Item.Identifier == nil || entry.Item.Identifier.System != systemService {
			f.bad(field, "an identifier of "+systemService, "choose from the services that the search returned")
			continue
		}
		n.Shortlist = append(n.Shortlist, f.number(field, entry.Item.Identifier.Value))
	}
	if len(list.Contained) != 1 {
		return &structureError{"MISSING_VALUE", "'shortlist/contained' must have the search criteria, once"}
	}
	by, err := f.criteria(list.Contained[0].raw, "shortlist/contained[0]/")
	if err != nil {
		return err
	}
	n.Priority, n.Specialty, n.ClinicType = by.priority, by.specialty, by.clinicType
	return nil
}

// referral is A005, with and without a version. As published, only the current
// version can be retrieved.
func (a *api) referral(c *call) (*answer, error) {
	ubrn, err := c.ubrn()
	if err != nil {
		return nil, err
	}
	r, err := a.desk.Referral(c.Context(), c.who, ubrn)
	if err != nil {
		return nil, err
	}
	if !c.wants(r.Version) {
		return nil, domain.ErrNotFound
	}
	return c.referralAnswer(http.StatusOK, r), nil
}

// wants reports whether the path names this version, or none.
func (c *call) wants(version int) bool {
	text := c.PathValue("version")
	return text == "" || text == strconv.Itoa(version)
}

// accept is A013.
func (a *api) accept(c *call) (*answer, error) {
	return a.change(c, func(ubrn domain.UBRN, version int) (*domain.Referral, error) {
		return a.desk.Accept(c.Context(), c.who, ubrn, version)
	})
}

// reject is A014.
func (a *api) reject(c *call) (*answer, error) {
	return a.change(c, func(ubrn domain.UBRN, version int) (*domain.Referral, error) {
		p, err := decodeParameters(c.body, "", "rejectionReason", "rejectionComments", "appointmentCancelledInPAS")
		if err != nil {
			return nil, err
		}
		f := &fields{}
		reason := domain.Reason{Set: domain.AppointmentReasonSet, Code: f.code(p["rejectionReason"], "rejectionReason", true),
			Comment: f.text(p["rejectionComments"], "rejectionComments")}
		if err := f.problems.OrNil(); err != nil {
			return nil, err
		}
		return a.desk.Reject(c.Context(), c.who, ubrn, version, reason)
	})
}

// cancelActionLater is A022: the provider cancels the appointment and acts on
// the referral later.
func (a *api) cancelActionLater(c *call) (*answer, error) {
	return a.change(c, func(ubrn domain.UBRN, version int) (*domain.Referral, error) {
		p, err := decodeParameters(c.body, "", "comments", "appointmentCancelledInPAS")
		if err != nil {
			return nil, err
		}
		f := &fields{}
		reason := domain.Reason{Set: "eRS-ReviewOutcome-1", Code: "CANCEL_APPOINTMENT_ACTION_LATER", Comment: f.text(p["comments"], "comments")}
		if err := f.problems.OrNil(); err != nil {
			return nil, err
		}
		if !c.who.Provides() {
			return nil, &domain.ForbiddenError{Why: "only the provider may cancel an appointment to act on it later: referrers use PUT Appointment"}
		}
		r, err := a.desk.Referral(c.Context(), c.who, ubrn)
		if err != nil {
			return nil, err
		}
		if r.Version != version {
			return nil, &domain.VersionError{Want: version, Current: r.Version}
		}
		if r.Appointment == nil {
			return nil, &domain.StateError{State: r.State, Event: domain.EventCancelByProvider}
		}
		return a.desk.CancelAppointment(c.Context(), c.who, r.Appointment.ID, r.Appointment.Version, reason)
	})
}

// change reads the UBRN and the version that every change of a referral names.
func (a *api) change(c *call, do func(ubrn domain.UBRN, version int) (*domain.Referral, error)) (*answer, error) {
	ubrn, err := c.ubrn()
	if err != nil {
		return nil, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, &domain.VersionError{Want: 0, Current: 1}
	}
	r, err := do(ubrn, version)
	if err != nil {
		return nil, err
	}
	return c.referralAnswer(http.StatusOK, r), nil
}

// cancelReferral is A036.
func (a *api) cancelReferral(c *call) (*answer, error) {
	var cancelled *domain.Referral
	got, err := a.change(c, func(ubrn domain.UBRN, version int) (*domain.Referral, error) {
		p, err := decodeParameters(c.body, "", "cancellationReason", "cancellationComments", "appointmentCancelledInPAS")
		if err != nil {
			return nil, err
		}
		f := &fields{}
		reason := domain.Reason{Set: domain.ReferralReasonSet, Code: f.code(p["cancellationReason"], "cancellationReason", true),
			Comment: f.text(p["cancellationComments"], "cancellationComments")}
		if err := f.problems.OrNil(); err != nil {
			return nil, err
		}
		cancelled, err = a.desk.CancelReferral(c.Context(), c.who, ubrn, version, reason)
		return cancelled, err
	})
	if err != nil {
		return nil, err
	}
	updated := []object{{"name": "updatedReferralRequest", "resource": got.body}}
	if cancelled.Appointment != nil {
		updated = append(updated, object{"name": "updatedAppointment",
			"resource": c.view().appointment(cancelled, cancelled.Appointment, strconv.FormatInt(cancelled.Appointment.ID, 10))})
	}
	got.body = object{"resourceType": "Parameters", "meta": profile(profileCancelled), "parameter": updated}
	return got, nil
}

// badRequest marks an error of a query's parameters: 400, as published for A015.
func badRequest(err error) error {
	var invalid domain.InvalidErrors
	if errors.As(err, &invalid) {
		return &headerError{err}
	}
	return err
}
