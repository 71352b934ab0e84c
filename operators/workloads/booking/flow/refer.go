// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// pathwayLimit is how far back a pathway may begin, as published.
const pathwayLimit = 365 * 24 * time.Hour

// Refer implements Front. A repeated request returns the referral made by the
// first one, without an access code: that was shown once.
func (d *Desk) Refer(ctx context.Context, who domain.Caller, key Key, n NewReferral) (Created, error) {
	if err := who.May(domain.ActCreate); err != nil {
		return Created{}, err
	}
	if err := errors.Join(d.open(), key.check()); err != nil {
		return Created{}, err
	}
	now := d.now().UTC()
	if err := n.check(now); err != nil {
		return Created{}, err
	}
	shortlist, err := d.shortlist(ctx, n)
	if err != nil {
		return Created{}, err
	}
	if n.Clinician == "" {
		n.Clinician = who.User
	}
	if n.Pathway.IsZero() {
		n.Pathway = now
	}
	code := newAccessCode()
	access := newAccess(code)
	for range 5 {
		ubrn, err := domain.NewUBRN(rand.Reader)
		if err != nil {
			return Created{}, err
		}
		r := &domain.Referral{UBRN: ubrn, Version: 1, RequestID: store.NewRequestID(), State: domain.NotBooked, Patient: n.Patient,
			Referrer: who.Organisation, Clinician: n.Clinician, Priority: n.Priority, Specialty: n.Specialty, ClinicType: n.ClinicType,
			Shortlist: shortlist, Letter: n.Letter, Pathway: n.Pathway.UTC(), Created: now, Updated: now}
		made, repeated, taken, err := d.store.Create(ctx, who, key.of(who), r, access)
		switch {
		case err != nil:
			return Created{}, err
		case taken:
			continue
		case repeated:
			return Created{Referral: made}, nil
		}
		return Created{Referral: made, AccessCode: code}, nil
	}
	return Created{}, errors.New("no free UBRN in five draws")
}

func (n NewReferral) check(now time.Time) error {
	var problems domain.InvalidErrors
	add := func(field, want, fix string) {
		problems = append(problems, &domain.InvalidError{Field: field, Want: want, Fix: fix})
	}
	if n.Patient == "" {
		add("patient", "an NHS number", "trace the patient in PDS and send the number found there")
	}
	if !n.Priority.Valid() {
		add("priority", "ROUTINE, URGENT or TWO_WEEK_WAIT", "choose one of them")
	}
	if n.Specialty == "" || len(n.Specialty) > 64 {
		add("specialty", "a code of SPECIALTY", "send the specialty of the search")
	}
	if len(n.ClinicType) > 64 {
		add("clinicType", "a code of at most 64 characters", "send the clinic type of the search")
	}
	if len(n.Shortlist) == 0 || len(n.Shortlist) > domain.MaxShortlist {
		add("shortlist", fmt.Sprintf("1 to %d services", domain.MaxShortlist), "choose from the services that the search returned")
	}
	if n.Letter == "" || len(n.Letter) > 64 {
		add("intentionToAddReferralLetter", "a code of eRS-ReferralLetterIntention-1", "for example NEED_TO_ADD_LATER")
	}
	if !n.Pathway.IsZero() && (n.Pathway.After(now) || n.Pathway.Before(now.Add(-pathwayLimit))) {
		add("eReferralPathwayStart", "a time in the past 365 days", "send when the pathway began, or leave it out")
	}
	return problems.OrNil()
}

// shortlist checks the chosen services against the search that they came from.
func (d *Desk) shortlist(ctx context.Context, n NewReferral) ([]domain.ShortlistEntry, error) {
	seen := map[int64]bool{}
	for _, id := range n.Shortlist {
		if seen[id] {
			return nil, &domain.RuleError{Code: "DUPLICATE_SERVICE", Why: fmt.Sprintf("'Shortlist/Service Id' (%d) cannot be added to a shortlist more than once.", id)}
		}
		seen[id] = true
	}
	found, err := d.store.Services(ctx, n.Shortlist)
	if err != nil {
		return nil, err
	}
	byID := map[int64]domain.Service{}
	for _, s := range found {
		byID[s.ID] = s
	}
	entries := make([]domain.ShortlistEntry, len(n.Shortlist))
	for i, id := range n.Shortlist {
		s, ok := byID[id]
		switch {
		case !ok:
			return nil, &domain.RuleError{Code: "REFERENCE_NOT_FOUND", Why: fmt.Sprintf("service %d is unknown or closed: search again and choose from the result", id)}
		case s.Specialty != n.Specialty || !s.Accepts(n.Priority):
			return nil, &domain.RuleError{Code: "SHORTLISTED_SERVICE_NOT_IN_RESULTS", Why: fmt.Sprintf("service %d does not take this specialty and priority: search again and choose from the result", id)}
		}
		entries[i] = domain.ShortlistEntry{ServiceID: id, Name: s.Name}
	}
	return entries, nil
}
