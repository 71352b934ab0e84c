// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// refreshAfter is how old the time of last use in the cookie may get before it is sent again.
const refreshAfter = time.Minute

// visit is one request.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	h        *Handler
	page     string // the route's pattern, for logs
	settings Settings
	now      time.Time
	session  session
	changed  bool // the session is to be sent again
}

// Errors of admission.
var (
	errSignedOut = errors.New("nobody is signed in")
	errNoneOpen  = errors.New("no referral is open")
	errForm      = errors.New("the form did not come from a page of this session")
)

// resume opens the session of the cookie, or begins an anonymous one.
func (v *visit) resume() {
	if cookie, err := v.r.Cookie(cookieName); err == nil {
		if s, ok := v.h.open(cookie.Value, v.now, v.settings.Idle); ok {
			v.session = s
			if v.now.Sub(time.Unix(s.Seen, 0)) >= refreshAfter {
				v.touch()
			}
			return
		}
	}
	v.begin(domain.Caller{}, time.Time{})
}

// begin starts a session for who. Its name is new, so a name planted in a browser before signing in is worth nothing.
func (v *visit) begin(who domain.Caller, until time.Time) {
	end := v.now.Add(v.settings.Longest)
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	v.session = session{ID: newName(), Who: who, UBRN: who.UBRN, End: end.Unix()}
	v.touch()
}

// touch has the session sent again with this answer.
func (v *visit) touch() {
	v.session.Seen = v.now.Unix()
	v.changed = true
}

// admit checks the origin and token of a form, and that the page is for this visitor.
func (v *visit) admit(needs access) error {
	if v.r.Method == http.MethodPost {
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
		if err := v.r.ParseForm(); err != nil {
			return err
		}
		if needs != anyone && !v.session.signedIn() {
			return errSignedOut
		}
		sent := []byte(v.r.PostForm.Get("csrf"))
		if v.h.origin.Check(v.r) != nil || subtle.ConstantTimeCompare(sent, []byte(v.h.formToken(&v.session))) != 1 {
			return errForm
		}
	}
	switch {
	case needs == anyone:
		return nil
	case !v.session.signedIn():
		return errSignedOut
	case needs == staff && !v.session.staff():
		return &domain.ForbiddenError{Why: "this page is for staff"}
	case needs == holder && v.session.UBRN == "":
		return errNoneOpen
	}
	return nil
}

// redirect sends the browser on after a form, so that going back or reloading repeats nothing.
func (v *visit) redirect(path string) error {
	if err := v.keepSession(); err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.Header().Set("Location", path)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (v *visit) keepSession() error {
	if !v.changed {
		return nil
	}
	cookie, err := v.h.cookie(v.session)
	if err != nil {
		return err
	}
	http.SetCookie(v.w, cookie)
	return nil
}
