// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// letterLater is the published code for "the referral letter follows": these pages take no attachments.
const letterLater = domain.LetterIntention("NEED_TO_ADD_LATER")

// refer creates a referral of the shortlist and opens it.
func (h *Handler) refer(v *visit) error {
	key := v.r.PostForm.Get("key")
	patient, err := domain.ParseNHSNumber(v.r.PostForm.Get("nhs"))
	if err != nil {
		view, err := v.shortlistView(key)
		if err != nil {
			return err
		}
		return v.again("shortlist", shortlistTitle, view, []fieldError{{"nhs", "Enter the 10 digits of the patient's NHS number as PDS shows it"}})
	}
	shortlist, last := v.session.Shortlist, v.session.Used
	again := last != nil && last.Key == key && key != ""
	if again {
		shortlist = last.Shortlist
	}
	n := flow.NewReferral{
		Patient:   patient,
		Priority:  v.session.Search.Priority,
		Specialty: v.session.Search.Specialty,
		Shortlist: shortlist,
		Letter:    letterLater,
	}
	created, err := h.desk.Refer(v.r.Context(), v.session.Who, flow.NewKey(key, "pages: refer", patient.Digits(), n.Priority, n.Specialty, n.Shortlist), n)
	if err != nil {
		return err
	}
	unshown := v.session.UBRN == created.Referral.UBRN && v.session.Code != "" // the answer that would have shown it was lost
	v.session.Notice = "The referral is created"
	switch {
	case created.AccessCode != "":
		v.session.Code = created.AccessCode
	case !unshown:
		v.session.Code = ""
		v.session.Notice = "The referral was created by an earlier click, and its access code was shown then"
	}
	v.session.UBRN = created.Referral.UBRN
	if !again { // there may be the beginning of the next one
		v.session.Used, v.session.Shortlist = &used{key, shortlist}, nil
	}
	v.touch()
	return v.redirect("/referral")
}

// referralView is the page of the open referral.
type referralView struct {
	Referral   *domain.Referral
	Services   []domain.Service
	Notice     string
	AccessCode string
	// Live: something is arranged. Booked: it is an appointment with a time.
	Live, Booked bool
	// Books and Cancels say what this visitor may do now.
	Books, Cancels bool
}

func (h *Handler) referralPage(v *visit) error {
	r, err := h.desk.Referral(v.r.Context(), v.session.Who, v.session.UBRN)
	if err != nil {
		return err
	}
	view := &referralView{Referral: r, Notice: v.takeNotice(), AccessCode: v.session.Code}
	if view.AccessCode != "" {
		v.session.Code = ""
		v.touch()
	}
	view.Live = live(r)
	view.Booked = r.State == domain.Booked
	view.Books = mayBook(v.session.Who, r)
	view.Cancels = mayCancel(v.session.Who, r)
	if view.Books {
		if view.Services, err = v.shortlisted(v.r.Context(), shortlistOf(r)); err != nil {
			return err
		}
	}
	title := "Your referral"
	if v.session.staff() {
		title = "Referral"
	}
	return v.show(http.StatusOK, "referral", title, view)
}

// live says whether an appointment, or a request for one, stands.
func live(r *domain.Referral) bool {
	if r.Appointment == nil {
		return false
	}
	switch r.Appointment.State {
	case domain.AppointmentBooked, domain.AppointmentDeferred, domain.AppointmentTriage:
		return true
	}
	return false
}

func mayBook(who domain.Caller, r *domain.Referral) bool {
	_, err := r.State.Next(domain.EventBook)
	return err == nil && who.May(domain.ActBook) == nil
}

func mayCancel(who domain.Caller, r *domain.Referral) bool {
	event := domain.EventCancelByPatient
	if who.Provides() {
		event = domain.EventCancelByProvider
	}
	_, err := r.State.Next(event)
	return err == nil && live(r) && who.May(domain.ActCancelAppointment) == nil
}

func shortlistOf(r *domain.Referral) []int64 {
	ids := make([]int64, len(r.Shortlist))
	for i, entry := range r.Shortlist {
		ids[i] = entry.ServiceID
	}
	return ids
}
