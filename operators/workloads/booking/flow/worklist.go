// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// worklists says who a list is for and what is on it.
var worklists = map[string]struct {
	provider   bool
	states     []domain.State
	unreviewed bool
	letter     string
}{
	ReferralsForReview:     {provider: true, states: []domain.State{domain.Booked, domain.AwaitingTriage}, unreviewed: true},
	AppointmentSlotIssues:  {provider: true},
	RejectedTriageResponse: {states: []domain.State{domain.Rejected, domain.TriageResponse}},
	AssessmentCancelledDNA: {states: []domain.State{domain.AssessmentResult, domain.CancelledReferral, domain.DidNotAttend}},
	AwaitingBooking: {states: []domain.State{domain.NotBooked, domain.AwaitingTriage, domain.DeferredToProvider, domain.CancelledByPatient,
		domain.CancelledByProvider}},
	LettersOutstanding: {states: []domain.State{domain.NotBooked, domain.Booked, domain.DeferredToProvider, domain.AwaitingTriage,
		domain.CancelledByPatient, domain.CancelledByProvider}, letter: "NEED_TO_ADD_LATER"},
}

// Worklist implements Front.
func (d *Desk) Worklist(ctx context.Context, who domain.Caller, q WorklistQuery) ([]WorklistItem, error) {
	if err := who.May(domain.ActWorklist); err != nil {
		return nil, err
	}
	list, ok := worklists[q.List]
	var problems domain.InvalidErrors
	if !ok {
		problems = append(problems, &domain.InvalidError{Field: "listType", Want: "a code of eRS-ReferralListSelector-1", Fix: "for example APPOINTMENT_SLOT_ISSUES"})
	}
	if q.Limit == 0 {
		q.Limit = 200
	}
	if q.Limit < 1 || q.Limit > 1000 {
		problems = append(problems, &domain.InvalidError{Field: "limit", Want: "1 to 1000", Fix: "ask for fewer lines"})
	}
	if err := problems.OrNil(); err != nil {
		return nil, err
	}
	if list.provider != who.Provides() {
		return nil, &domain.ForbiddenError{Why: "this worklist belongs to the other side of a referral: referrers and providers have different ones"}
	}
	l := store.List{Organisation: who.Organisation, States: list.states, Unreviewed: list.unreviewed, Letter: list.letter,
		Service: q.Service, Specialty: q.Specialty, Clinician: q.Clinician, Limit: q.Limit}
	ask := d.store.Referrer
	switch {
	case q.List == AppointmentSlotIssues:
		ask = d.store.SlotIssues
	case list.provider:
		ask = d.store.Provider
	}
	items, err := ask(ctx, l)
	if err != nil {
		return nil, err
	}
	out := make([]WorklistItem, len(items))
	for i, item := range items {
		out[i] = WorklistItem(item)
	}
	return out, nil
}
