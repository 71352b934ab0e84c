// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// commentLimit bounds the comment, in characters.
const commentLimit = 1000

// cancelView is the page that asks why.
type cancelView struct {
	Referral        *domain.Referral
	Reasons         []domain.ReasonCode
	Reason, Comment string
	// Needs names the reasons that must be explained.
	Needs string
}

func (h *Handler) cancelPage(v *visit) error { return v.askWhy("", "", nil) }

// askWhy shows the form, again when something in it was wrong. What is no longer arranged cannot be cancelled.
func (v *visit) askWhy(chosen, comment string, wrong []fieldError) error {
	r, err := v.h.desk.Referral(v.r.Context(), v.session.Who, v.session.UBRN)
	if err != nil {
		return err
	}
	if !mayCancel(v.session.Who, r) {
		return v.redirect("/referral")
	}
	title := "Cancel this request"
	if r.State == domain.Booked {
		title = "Cancel this appointment"
	}
	view := &cancelView{Referral: r, Reasons: reasonsFor(v.session.Who).Codes, Reason: chosen, Comment: comment}
	var needs []string
	for _, r := range view.Reasons {
		if r.Comment {
			needs = append(needs, "“"+reasonName(r)+"”")
		}
	}
	view.Needs = strings.Join(needs, " and ")
	if wrong != nil {
		return v.again("cancel", title, view, wrong)
	}
	return v.show(http.StatusOK, "cancel", title, view)
}

func (h *Handler) cancel(v *visit) error {
	form, err := v.formOf()
	if err != nil {
		return err
	}
	appointment, err := number(v.r.PostForm.Get("appointment"))
	if err != nil {
		return err
	}
	chosen, comment := v.r.PostForm.Get("reason"), strings.TrimSpace(v.r.PostForm.Get("comment"))
	reasons := reasonsFor(v.session.Who)
	if wrong := checkWhy(reasons, chosen, comment); wrong != nil {
		return v.askWhy(chosen, comment, wrong)
	}
	_, err = h.desk.CancelAppointment(v.r.Context(), v.session.Who, appointment, form.version,
		domain.Reason{Set: reasons.Name, Code: chosen, Comment: comment})
	if err != nil {
		return err
	}
	v.session.Notice = "It is cancelled"
	v.touch()
	return v.redirect("/referral")
}

func checkWhy(reasons domain.ReasonSet, chosen, comment string) []fieldError {
	var wrong []fieldError
	explain, known := false, false
	for _, r := range reasons.Codes {
		if r.Code == chosen {
			explain, known = r.Comment, true
		}
	}
	if !known {
		wrong = append(wrong, fieldError{"reason", "Choose why it is cancelled"})
	}
	switch {
	case explain && comment == "":
		wrong = append(wrong, fieldError{"comment", "Say a little more about the reason"})
	case !utf8.ValidString(comment) || utf8.RuneCountInString(comment) > commentLimit:
		wrong = append(wrong, fieldError{"comment", "Enter at most 1,000 characters"})
	}
	return wrong
}
