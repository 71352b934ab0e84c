// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// linesShown is how much of a worklist one page shows; the longest waiting come first.
const linesShown = 100

// list is a worklist: its name in the address, for people, and as published.
type list struct {
	code
	Published string
}

var (
	providerLists = []list{
		{code{"asi", "Appointment slot issues"}, flow.AppointmentSlotIssues},
		{code{"review", "For review"}, flow.ReferralsForReview},
	}
	referrerLists = []list{
		{code{"rejected", "Rejected"}, flow.RejectedTriageResponse},
		{code{"awaiting", "Awaiting booking"}, flow.AwaitingBooking},
		{code{"cancelled", "Cancelled or not attended"}, flow.AssessmentCancelledDNA},
	}
)

func listsFor(who domain.Caller) []list {
	if who.Provides() {
		return providerLists
	}
	return referrerLists
}

// worklistView is the page of one list.
type worklistView struct {
	Lists      []list
	List, Name string
	Items      []flow.WorklistItem
	// Cut says that more wait than are shown.
	Cut bool
}

const worklistTitle = "Worklists"

func (h *Handler) worklistPage(v *visit) error {
	view, err := v.worklist(v.r.URL.Query().Get("list"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "worklist", worklistTitle, view)
}

func (v *visit) worklist(name string) (*worklistView, error) {
	lists := listsFor(v.session.Who)
	if name == "" {
		name = lists[0].Code
	}
	for _, l := range lists {
		if l.Code != name {
			continue
		}
		items, err := v.h.desk.Worklist(v.r.Context(), v.session.Who, flow.WorklistQuery{List: l.Published, Limit: linesShown + 1})
		if err != nil {
			return nil, err
		}
		cut := len(items) > linesShown
		return &worklistView{Lists: lists, List: l.Code, Name: l.Name, Items: items[:min(len(items), linesShown)], Cut: cut}, nil
	}
	return nil, domain.ErrNotFound
}

// openReferral opens a referral. The reference travels in the body: addresses are kept by browsers and proxies.
func (h *Handler) openReferral(v *visit) error {
	ubrn, err := domain.ParseUBRN(v.r.PostForm.Get("ubrn"))
	if err != nil {
		view, err := v.worklist("")
		if err != nil {
			return err
		}
		return v.again("worklist", worklistTitle, view, []fieldError{{"ubrn", "Enter the 12 digits of the booking reference"}})
	}
	if _, err := h.desk.Referral(v.r.Context(), v.session.Who, ubrn); err != nil {
		return err
	}
	v.session.UBRN = ubrn
	v.touch()
	return v.redirect("/referral")
}
