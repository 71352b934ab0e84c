// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"errors"
	"net"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

const (
	signInTitle = "Manage your referral"
	staffTitle  = "Sign in as a member of staff"
)

// addressFactor is how many more wrong codes one address may send than one referral takes: behind a load balancer or a
// surgery's router many people share an address, and none of them may lock the others out.
const addressFactor = 20

// tooManyError refuses signing in for a while.
type tooManyError struct{ wait time.Duration }

func (e *tooManyError) Error() string { return "too many wrong attempts to sign in" }

func (h *Handler) signInPage(v *visit) error {
	switch {
	case v.session.UBRN != "":
		return v.redirect("/referral")
	case v.session.staff():
		return v.redirect("/worklist")
	}
	return v.show(200, "signin", signInTitle, nil)
}

func (h *Handler) signIn(v *visit) error {
	ubrn, err := domain.ParseUBRN(v.r.PostForm.Get("ubrn"))
	code := strings.TrimSpace(v.r.PostForm.Get("code"))
	var wrong []fieldError
	if err != nil {
		wrong = append(wrong, fieldError{"ubrn", "Enter the 12 digits of your booking reference"})
	}
	if code == "" || len(code) > 64 {
		wrong = append(wrong, fieldError{"code", "Enter the access code from your referral letter"})
	}
	if wrong != nil {
		return v.again("signin", signInTitle, nil, wrong)
	}
	address, _, _ := net.SplitHostPort(v.r.RemoteAddr)
	most := v.settings.Attempts
	wait := max(h.referrals.wait(string(ubrn), most, v.now), h.addresses.wait(address, most*addressFactor, v.now))
	if wait > 0 {
		return &tooManyError{wait}
	}
	who, err := h.desk.SignIn(v.r.Context(), ubrn, code)
	if errors.Is(err, domain.ErrSignIn) {
		h.referrals.failed(string(ubrn), v.now, v.settings.Lock)
		h.addresses.failed(address, v.now, v.settings.Lock)
		// Which of the two is wrong is not said: that would tell which references exist.
		return v.again("signin", signInTitle, nil, []fieldError{{"ubrn", "The booking reference or the access code is wrong: check both against your letter"}})
	}
	if err != nil {
		return err
	}
	h.referrals.succeeded(string(ubrn))
	v.begin(who, time.Time{})
	return v.redirect("/referral")
}

func (h *Handler) staffPage(v *visit) error { return v.show(200, "staff", staffTitle, nil) }

func (h *Handler) staffSignIn(v *visit) error {
	token := strings.TrimSpace(v.r.PostForm.Get("token"))
	if token == "" {
		return v.again("staff", staffTitle, nil, []fieldError{{"token", "Paste the access token"}})
	}
	who, until, err := h.config.Tokens(token)
	if err != nil || who.Role == domain.PatientRole || (!until.IsZero() && !until.After(v.now)) {
		return v.again("staff", staffTitle, nil, []fieldError{{"token", "The access token is not valid or has expired: get a new one from your identity service"}})
	}
	v.begin(who, until)
	return v.redirect("/worklist")
}

func (h *Handler) signOut(v *visit) error {
	v.begin(domain.Caller{}, time.Time{})
	return v.redirect("/")
}
