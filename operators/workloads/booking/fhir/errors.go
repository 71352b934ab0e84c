// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Errors of the request itself.
var (
	errNotAcceptable = errors.New("expected Accept: application/fhir+json: the API speaks nothing else")
	errMediaType     = errors.New("expected Content-Type: application/fhir+json: send JSON")
	errNoIfMatch     = errors.New("header If-Match is missing: retrieve the resource and send its ETag")
)

type (
	loginError      struct{ error }
	headerError     struct{ error }
	clientGoneError struct{ error }
	tooManyError    struct{ wait time.Duration }
	sizeError       struct{ most int64 }
	// syntaxError: the body is not JSON.
	syntaxError struct{ at int64 }
	// structureError: the body is JSON but not the expected resource.
	structureError struct{ code, why string }
	// silentError: the provider's system did not answer; the referral was
	// deferred to it.
	silentError struct{ ubrn domain.UBRN }
)

func (e *tooManyError) Error() string { return "too many requests of this application" }
func (e *sizeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes: send less", e.most)
}
func (e *syntaxError) Error() string {
	return fmt.Sprintf("the body is not valid JSON (near byte %d): correct it", e.at)
}
func (e *structureError) Error() string { return e.why }
func (e *silentError) Error() string {
	return "the provider's system did not answer in time. The referral was deferred to the provider, who will arrange the appointment: retrieve it"
}

// issue is one entry of an OperationOutcome.
type issue struct {
	Severity    string `json:"severity"`
	Code        string `json:"code"`
	Details     any    `json:"details"`
	Diagnostics string `json:"diagnostics,omitempty"`
}

// outcome is an OperationOutcome of one issue. kind is FHIR's code, code the
// published eRS-APIErrorCode-1.
func outcome(kind, code, display, diagnostics string) any {
	return outcomes(newIssue(kind, code, display, diagnostics))
}

func newIssue(kind, code, display, diagnostics string) issue {
	return issue{Severity: "error", Code: kind, Diagnostics: diagnostics,
		Details: object{"coding": []object{{"system": errorCodes, "code": code, "display": display}}}}
}

func outcomes(issues ...issue) any {
	return object{"resourceType": "OperationOutcome", "meta": profile(profileOutcome), "issue": issues}
}

var faultOutcome = outcome("exception", "INTERNAL_ERROR", "Internal error", "the service failed: try again, and report the X-Request-ID if it happens again")

func writeOutcome(w http.ResponseWriter, status int, body any) int {
	text, err := json.Marshal(body)
	if err != nil { // an outcome is plain text; it always encodes
		status, text = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", mediaType+";charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
	return status
}

// fail answers with the status and the outcome of an error.
func (a *api) fail(w http.ResponseWriter, operation string, err error) int {
	status, body, retry := describe(err)
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(retry.Seconds())))))
	}
	if status == http.StatusInternalServerError {
		a.Log.Error("operation failed", "operation", operation, "error", err)
	}
	return writeOutcome(w, status, body)
}

// describe is the published status and outcome of each kind of error, and how
// long to wait before a repetition.
func describe(err error) (status int, body any, retry time.Duration) {
	var (
		login     *loginError
		header    *headerError
		gone      *clientGoneError
		many      *tooManyError
		size      *sizeError
		syntax    *syntaxError
		structure *structureError
		silent    *silentError
		invalid   domain.InvalidErrors
		forbidden *domain.ForbiddenError
		state     *domain.StateError
		rule      *domain.RuleError
		version   *domain.VersionError
		conflict  *domain.KeyConflictError
		overload  *domain.OverloadedError
	)
	text := err.Error()
	switch {
	case errors.As(err, &login):
		return http.StatusUnauthorized, outcome("login", "NO_ACCESS", "No access", text), 0
	case errors.As(err, &many):
		return http.StatusTooManyRequests, outcome("throttled", "TOO_MANY_REQUESTS", "Too many requests",
			"this application sends more requests than it may: wait as Retry-After says, then twice as long each time"), many.wait
	case errors.As(err, &header):
		return http.StatusBadRequest, invalidOutcome(header.error, "MISSING_HEADER", "Missing or invalid header"), 0
	case errors.As(err, &syntax), errors.As(err, &gone):
		return http.StatusBadRequest, outcome("structure", "INVALID_FHIR_STRUCTURE", "Invalid FHIR structure", text), 0
	case errors.As(err, &size):
		return http.StatusRequestEntityTooLarge, outcome("too-long", "INVALID_VALUE", "Invalid value", text), 0
	case errors.Is(err, errNotAcceptable):
		return http.StatusNotAcceptable, outcome("not-supported", "NOT_ACCEPTABLE", "Not acceptable", text), 0
	case errors.Is(err, errMediaType):
		return http.StatusUnsupportedMediaType, outcome("not-supported", "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type", text), 0
	case errors.Is(err, errNoIfMatch):
		return http.StatusPreconditionFailed, outcome("required", "MISSING_HEADER", "Missing header", text), 0
	case errors.As(err, &structure):
		return http.StatusUnprocessableEntity, outcome("value", structure.code, display(structure.code), text), 0
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity, invalidOutcome(invalid, "INVALID_VALUE", "Invalid value"), 0
	case errors.As(err, &forbidden):
		return http.StatusForbidden, outcome("forbidden", "FORBIDDEN", "Forbidden", text), 0
	case errors.Is(err, domain.ErrNotFound):
		return http.StatusNotFound, outcome("not-found", "REFERENCE_NOT_FOUND", "Reference not found",
			"there is no such resource, or not in this version: check the reference for a mistyped digit"), 0
	case errors.Is(err, domain.ErrSlotGone):
		return http.StatusUnprocessableEntity, outcome("business-rule", "SLOT_NOT_AVAILABLE", "Slot is no longer available", text), 0
	case errors.As(err, &rule) && rule.Code == "PAS_RESPONDED_WITH_ERROR":
		return http.StatusBadGateway, outcome("processing", rule.Code, "Error received from PAS", text), 0
	case errors.As(err, &rule):
		return http.StatusUnprocessableEntity, outcome("business-rule", rule.Code, display(rule.Code), text), 0
	case errors.As(err, &state):
		return http.StatusUnprocessableEntity, outcome("business-rule", "INVALID_REQUEST_STATE", "Invalid request state", text), 0
	case errors.As(err, &version):
		return http.StatusConflict, outcome("conflict", "VERSION_CONFLICT", "Version conflict", text), 0
	case errors.As(err, &conflict):
		return http.StatusConflict, outcome("duplicate", "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused", text), 0
	case errors.Is(err, domain.ErrInProgress):
		return http.StatusLocked, outcome("lock-error", "LOCKED", "Locked", text), 5 * time.Second
	case errors.Is(err, domain.ErrProviderSilent), errors.As(err, &silent):
		return http.StatusGatewayTimeout, outcome("timeout", "PAS_NOT_RESPONDING", "No response from PAS", text), 0
	case errors.Is(err, domain.ErrClosing):
		return http.StatusServiceUnavailable, outcome("transient", "SERVICE_UNAVAILABLE", "Service unavailable", domain.ErrClosing.Error()), 5 * time.Minute
	case errors.As(err, &overload):
		return http.StatusServiceUnavailable, outcome("transient", "SYSTEM_UNAVAILABLE", "System Unavailable",
			"the service is busy or recovering: try again as Retry-After says; an Idempotency-Key makes that safe"), overload.RetryAfter
	}
	return http.StatusInternalServerError, faultOutcome, 0
}

// invalidOutcome has one issue for each unusable field.
func invalidOutcome(err error, code, text string) any {
	var invalid domain.InvalidErrors
	if !errors.As(err, &invalid) {
		return outcome("value", code, text, err.Error())
	}
	issues := make([]issue, len(invalid))
	for i, one := range invalid {
		issues[i] = newIssue("value", code, text, one.Error())
	}
	return outcomes(issues...)
}

// display is a readable form of a published code.
func display(code string) string {
	if code == "" {
		return ""
	}
	words := strings.ToLower(strings.ReplaceAll(code, "_", " "))
	return strings.ToUpper(words[:1]) + words[1:]
}
