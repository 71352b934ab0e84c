// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

const mediaType = "application/fhir+json"

// patience bounds one request, beside the two minutes that a provider may take.
const patience = 150 * time.Second

// serve wraps an operation with everything that holds for all of them.
func (a *api) serve(name string, do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := a.Now()
		status := 0
		defer func() {
			if p := recover(); p != nil {
				// The stack names places in the code and no values.
				a.Log.Error("operation failed", "operation", name, "stack", string(debug.Stack()))
				status = writeOutcome(w, http.StatusInternalServerError, faultOutcome)
			}
			a.Observe(name, status, a.Now().Sub(started))
		}()
		identify(w, r)
		select {
		case a.slots <- struct{}{}:
			defer func() { <-a.slots }()
		default:
			status = a.fail(w, name, &domain.OverloadedError{RetryAfter: time.Second})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		c, err := a.admit(w, r.WithContext(ctx))
		if err != nil {
			status = a.fail(w, name, err)
			return
		}
		got, err := do(a, c)
		if err != nil {
			status = a.fail(w, name, err)
			return
		}
		status = a.write(w, got)
	})
}

// admit authenticates and checks headers and body.
func (a *api) admit(w http.ResponseWriter, r *http.Request) (*call, error) {
	raw, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		raw = ""
	}
	who, roles, _, err := a.Verify(raw)
	if err != nil {
		return nil, &loginError{err}
	}
	limits := a.Limits()
	if wait := a.rates.take(who.Application, limits, a.Now()); wait > 0 {
		return nil, &tooManyError{wait}
	}
	if who, err = chooseRole(who, roles, r.Header); err != nil {
		return nil, err
	}
	if !acceptable(r.Header.Get("Accept")) {
		return nil, errNotAcceptable
	}
	c := &call{Request: r, who: who}
	if r.Method == http.MethodGet || r.ContentLength == 0 {
		return c, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != mediaType && kind != "application/json" {
		return nil, errMediaType
	}
	c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limits.BodyBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &sizeError{limits.BodyBytes}
	case err != nil:
		return nil, &clientGoneError{err}
	}
	return c, nil
}

// chooseRole takes the organisation and the business function that the request
// names; the token must grant both.
func chooseRole(who domain.Caller, roles []domain.Role, h http.Header) (domain.Caller, error) {
	var problems domain.InvalidErrors
	organisation, role := h.Get("NHSD-End-User-Organisation-ODS"), domain.Role(h.Get("NHSD-eRS-Business-Function"))
	if organisation == "" {
		problems = append(problems, &domain.InvalidError{Field: "header NHSD-End-User-Organisation-ODS", Want: "the ODS code of your organisation", Fix: "send it with every request"})
	}
	if role == "" {
		problems = append(problems, &domain.InvalidError{Field: "header NHSD-eRS-Business-Function", Want: "an e-RS role", Fix: "send it with every request, for example REFERRING_CLINICIAN"})
	}
	if err := problems.OrNil(); err != nil {
		return who, &headerError{err}
	}
	if organisation != who.Organisation {
		return who, &domain.ForbiddenError{Why: "the token does not belong to the organisation in NHSD-End-User-Organisation-ODS"}
	}
	if !slices.Contains(roles, role) {
		return who, &domain.ForbiddenError{Why: "the token does not grant the role in NHSD-eRS-Business-Function"}
	}
	who.Role = role
	return who, nil
}

func acceptable(accept string) bool {
	if accept == "" {
		return true
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, err := mime.ParseMediaType(part)
		if err == nil && (kind == mediaType || kind == "application/json" || kind == "*/*" || kind == "application/*") {
			return true
		}
	}
	return false
}

// identify answers with the caller's correlation id and an id of our own.
func identify(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if id := r.Header.Get("X-Correlation-ID"); id != "" && len(id) <= 128 && printable(id) {
		h.Set("X-Correlation-ID", id)
	}
	var own [16]byte
	_, _ = rand.Read(own[:]) // never fails
	h.Set("X-Request-ID", hex.EncodeToString(own[:]))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func (a *api) write(w http.ResponseWriter, got *answer) int {
	text, err := json.Marshal(got.body)
	if err != nil {
		a.Log.Error("answer not encoded", "error", err)
		return writeOutcome(w, http.StatusInternalServerError, faultOutcome)
	}
	h := w.Header()
	h.Set("Content-Type", mediaType+";charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if got.version >= 0 {
		h.Set("ETag", fmt.Sprintf(`W/"%d"`, got.version))
	}
	for name, value := range got.headers {
		h.Set(name, value)
	}
	w.WriteHeader(got.status)
	_, _ = w.Write(text)
	return got.status
}

// ifMatch reads the version that an update must name.
func (c *call) ifMatch() (int, error) {
	text := c.Header.Get("If-Match")
	if text == "" {
		return 0, errNoIfMatch
	}
	digits, ok := strings.CutPrefix(text, `W/"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	version, err := strconv.ParseUint(digits, 10, 31)
	if !ok || !closed || err != nil {
		return 0, &headerError{domain.InvalidErrors{{Field: "header If-Match", Want: `a weak version such as W/"4"`, Fix: "send the ETag of the resource as you retrieved it"}}}
	}
	return int(version), nil
}

// key is the request's idempotency key, when it names one.
func (c *call) key() string { return c.Header.Get("Idempotency-Key") }
