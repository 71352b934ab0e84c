// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// problem is what an error page says: what happened, and what to do.
type problem struct {
	Status     int
	Title      string
	Lines      []string
	Path, Link string
	// RetryAfter is sent with 429 and 503; zero otherwise.
	RetryAfter time.Duration
}

// slotGoneError: the slot was free when it was shown and is not any more.
type slotGoneError struct {
	service int64
	from    string // the day to look at again; empty: the first
}

func (*slotGoneError) Error() string { return domain.ErrSlotGone.Error() }

// fail answers with the page of an error.
func (v *visit) fail(err error) {
	if errors.Is(err, errSignedOut) && v.r.Method != http.MethodPost {
		_ = v.redirect("/")
		return
	}
	if errors.Is(err, errNoneOpen) && v.r.Method != http.MethodPost {
		_ = v.redirect("/worklist")
		return
	}
	// An anonymous session begun for a wrong address must not replace the one of a form in another tab.
	v.changed = v.changed && v.session.signedIn()
	p := explain(err)
	if p.Status == http.StatusInternalServerError {
		v.h.config.Log.Error("a page failed", "page", v.page, "error", err)
	}
	if p.RetryAfter > 0 {
		seconds := int((p.RetryAfter + time.Second - 1) / time.Second)
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if err := v.show(p.Status, "problem", p.Title, p); err != nil {
		http.Error(v.w, "The service has a fault. Try again in a few minutes.", http.StatusInternalServerError)
	}
}

// explain turns an error into the page that says what to do about it.
func explain(err error) problem {
	home := func(status int, title string, lines ...string) problem {
		return problem{Status: status, Title: title, Lines: lines, Path: "/", Link: "Go to the start"}
	}
	referral := func(status int, title string, lines ...string) problem {
		return problem{Status: status, Title: title, Lines: lines, Path: "/referral", Link: "Go to the referral"}
	}
	var (
		gone      *slotGoneError
		tooMany   *tooManyError
		elsewhere changedElsewhereError
		forbidden *domain.ForbiddenError
		invalid   *domain.InvalidError
		invalids  domain.InvalidErrors
		state     *domain.StateError
		version   *domain.VersionError
		rule      *domain.RuleError
		key       *domain.KeyConflictError
		busy      *domain.OverloadedError
		tooLarge  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &gone):
		path := fmt.Sprintf("/slots?service=%d", gone.service)
		if gone.from != "" {
			path += "&from=" + gone.from
		}
		return problem{Status: http.StatusConflict, Title: "This time has just been taken", Path: path, Link: "Choose another time",
			Lines: []string{"Somebody else booked it, or the provider withdrew it. Nothing was changed for you.", "Choose another time."}}
	case errors.As(err, &elsewhere):
		return referral(http.StatusConflict, "Another referral is open now",
			"A different referral was opened in this browser after the page was shown. Nothing was changed.", "Check which referral is open, and start again from it.")
	case errors.As(err, &state), errors.As(err, &version), errors.As(err, &key):
		return referral(http.StatusConflict, "The referral has changed",
			"It was changed since you opened the page. Nothing was changed now.", "Look at the referral and decide again.")
	case errors.Is(err, domain.ErrInProgress):
		return referral(http.StatusConflict, "A booking is under way",
			"The provider's system is being asked about this referral. Nothing was changed by this click.", "Wait a minute, then look at the referral.")
	case errors.As(err, &rule):
		return referral(http.StatusConflict, "This cannot be done", rule.Why)
	case errors.Is(err, domain.ErrProviderSilent):
		p := referral(http.StatusServiceUnavailable, "The provider did not answer", "The appointment that you have stands.", "Try again later, or call the number on your referral letter.")
		p.RetryAfter = time.Minute
		return p
	case errors.As(err, &tooMany):
		p := home(http.StatusTooManyRequests, "Too many attempts",
			fmt.Sprintf("The details were wrong too often. Try again in %s.", plural(int((tooMany.wait+time.Minute-1)/time.Minute), "minute", "minutes")),
			"If you cannot find your letter, ask your GP surgery for a new one.")
		p.RetryAfter = tooMany.wait
		return p
	case errors.Is(err, domain.ErrClosing):
		return home(http.StatusServiceUnavailable, "The service is closing", "Nothing was changed. It takes no new bookings; appointments can still be cancelled.",
			"To book, call the number on your referral letter.")
	case errors.As(err, &busy):
		p := home(http.StatusServiceUnavailable, "The service is busy", "Nothing was changed. Wait a few seconds, then try again.")
		p.RetryAfter = busy.RetryAfter
		return p
	case errors.Is(err, context.Canceled):
		// The visitor left, as far as the server can see. Should somebody read the answer all the same, an empty one
		// would be a 200 for what was not done.
		p := home(http.StatusServiceUnavailable, "The service is busy", "It is not known whether this was done. Wait a few seconds, then try again: nothing is done twice.")
		p.RetryAfter = time.Second
		return p
	case errors.Is(err, errSignedOut), errors.Is(err, errForm):
		return home(http.StatusForbidden, "Start again", "The page was open for too long, or belongs to an earlier sign-in. Nothing was changed.", "Sign in and try again.")
	case errors.Is(err, errNoneOpen):
		return problem{Status: http.StatusConflict, Title: "No referral is open", Lines: []string{"Nothing was changed.", "Open the referral from a worklist first."},
			Path: "/worklist", Link: "Go to the worklists"}
	case errors.As(err, &forbidden):
		return home(http.StatusForbidden, "You may not see this", "Your role or organisation does not allow it.", "Ask the organisation that made the referral, or sign in with another role.")
	case errors.Is(err, domain.ErrNotFound):
		return home(http.StatusNotFound, "Page not found", "Check the address or the booking reference, or start again.")
	case errors.As(err, &tooLarge):
		return home(http.StatusRequestEntityTooLarge, "Too much was sent", "A form holds at most 16,000 characters. Go back and shorten the text.")
	case errors.As(err, &invalids):
		lines := make([]string, len(invalids))
		for i, one := range invalids {
			lines[i] = one.Error()
		}
		return home(http.StatusBadRequest, "Something cannot be used as it is", lines...)
	case errors.As(err, &invalid):
		return home(http.StatusBadRequest, "Something cannot be used as it is", invalid.Error())
	default:
		return home(http.StatusInternalServerError, "The service has a fault", "It has been recorded. Nothing you did caused it.", "Try again in a few minutes.")
	}
}
