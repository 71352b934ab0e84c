// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// fault is an answer that refuses a request.
type fault struct {
	status int
	// event and code are those of the published list of errors; empty where it has none.
	event, code string
	// text says what is wrong and what to do.
	text string
	// messageID is the message that the fault is about; empty for none.
	messageID string
	// retryAfter is when to ask again; zero for never.
	retryAfter time.Duration
	// invalid lists the parts of the request that are malformed, for the published form of 400.
	invalid []invalidItem
}

type invalidItem struct {
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
	Type string   `json:"type"`
}

// Error is for logs.
func (f *fault) Error() string {
	if len(f.invalid) > 0 {
		parts := make([]string, len(f.invalid))
		for i, item := range f.invalid {
			parts[i] = strings.Join(item.Loc, " ") + " " + item.Msg
		}
		return strings.Join(parts, "; ")
	}
	return f.text
}

func forbidden(text string) error { return &fault{status: http.StatusForbidden, text: text} }

// invalid is the 400 of one malformed part; where is "path", "query" or "header".
func invalid(where, name, text string) error {
	return &fault{status: http.StatusBadRequest, invalid: []invalidItem{item(where, name, text)}}
}

func item(where, name, text string) invalidItem {
	return invalidItem{Loc: []string{where, name}, Msg: text, Type: "value_error"}
}

// The published list of errors.
const (
	eventSend, eventTransfer, eventCollect, eventReceive = "SEND", "TRANSFER", "COLLECT", "RECEIVE"

	codeNoData       = "02"
	codeMalformed    = "06"
	codeFrom         = "07"
	codeNoRecipient  = "08"
	codeMessageType  = "11"
	codeUnregistered = "12"
	codeNotPermitted = "16"
	codeWorkflow     = "17"
	codeNoMessage    = "20"
)

// known maps the service's errors to the published ones. The text of the error itself is the answer's.
var mapped = []struct {
	err         error
	status      int
	event, code string
}{
	{message.ErrUnknownRecipient, http.StatusExpectationFailed, eventSend, codeUnregistered},
	{message.ErrUnknownInteraction, http.StatusExpectationFailed, eventSend, codeWorkflow},
	{message.ErrNotPermitted, http.StatusExpectationFailed, eventSend, codeNotPermitted},
	{message.ErrConflict, http.StatusConflict, eventSend, "Conflict"},
	{message.ErrTooLarge, http.StatusRequestEntityTooLarge, eventSend, "TooLarge"},
	{message.ErrInvalid, http.StatusBadRequest, eventTransfer, codeMalformed},
	{message.ErrNotFound, http.StatusNotFound, eventReceive, codeNoMessage},
	{message.ErrGone, http.StatusGone, eventReceive, "Gone"},
}

// faultOf says how an error is answered. What it does not know is a fault of the gateway, and its text stays inside.
func faultOf(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var overloaded *message.OverloadedError
	var stopped *message.StoppedError
	switch {
	case errors.As(err, &overloaded) && overloaded.Throttled:
		return &fault{status: http.StatusTooManyRequests, event: eventSend, text: overloaded.Error(), retryAfter: overloaded.RetryAfter}
	case errors.As(err, &overloaded):
		return &fault{status: http.StatusServiceUnavailable, event: eventSend, text: overloaded.Error(), retryAfter: overloaded.RetryAfter}
	case errors.As(err, &stopped):
		return &fault{status: http.StatusServiceUnavailable, event: eventSend, text: stopped.Error(), retryAfter: 5 * time.Minute}
	case errors.Is(err, message.ErrUnavailable), errors.Is(err, message.ErrDraining):
		return &fault{status: http.StatusServiceUnavailable, text: err.Error(), retryAfter: time.Second}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &fault{status: http.StatusServiceUnavailable, text: "the request was broken off: send it again", retryAfter: time.Second}
	}
	for _, k := range mapped {
		if errors.Is(err, k.err) {
			return &fault{status: k.status, event: k.event, code: k.code, text: err.Error()}
		}
	}
	return &fault{status: http.StatusInternalServerError,
		text: "an internal error occurred: send the request again later, and give the service desk the internal ID if it stays"}
}

// fault answers in the form of the caller's version.
func (c *call) fault(f *fault, id string) {
	if f.retryAfter > 0 {
		seconds := int(math.Ceil(f.retryAfter.Seconds()))
		c.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	// The version may not have been read yet; an unreadable one is answered in the first.
	version, _ := acceptedVersion(c.r.Header.Get("Accept"))
	switch {
	case len(f.invalid) > 0:
		c.json(f.status, "application/json", struct {
			Detail []invalidItem `json:"detail"`
		}{f.invalid})
	case version < 2:
		c.json(f.status, "application/json", struct {
			MessageID        string `json:"messageID,omitempty"`
			ErrorEvent       string `json:"errorEvent"`
			ErrorCode        string `json:"errorCode"`
			ErrorDescription string `json:"errorDescription"`
			InternalID       string `json:"internalID"`
		}{f.messageID, f.event, f.code, f.text, id})
	default:
		type detail struct {
			Event string `json:"event"`
			Code  string `json:"code"`
			Msg   string `json:"msg"`
		}
		c.json(f.status, mediaV2, struct {
			MessageID  string   `json:"message_id,omitempty"`
			InternalID string   `json:"internal_id"`
			Detail     []detail `json:"detail"`
		}{f.messageID, id, []detail{{f.event, f.code, f.text}}})
	}
}

// Refuse answers 403 in the form of the caller's version, for whoever refuses a request before the handler sees it. The
// text says what is wrong and what to do.
func Refuse(w http.ResponseWriter, r *http.Request, text string) {
	c := &call{w: w, r: r}
	c.fault(&fault{status: http.StatusForbidden, text: text}, internalID(time.Now()))
}

// internalID names a request for the service desk; it has no meaning otherwise.
func internalID(at time.Time) string {
	return fmt.Sprintf("%s%06d_%06X", at.UTC().Format(stamp), at.Nanosecond()/1000, rand.Uint32()&0xFFFFFF)
}

// json writes a whole answer.
func (c *call) json(status int, mediaType string, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		// Only types of this package are written, and all of them can be.
		panic(err)
	}
	c.write(status, mediaType, text)
}

func (c *call) write(status int, mediaType string, body []byte) {
	c.status = status
	header := c.w.Header()
	header["Content-Type"] = []string{mediaType}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	// A caller that has gone is no fault of ours.
	_, _ = c.w.Write(body)
}

// empty answers without a body.
func (c *call) empty(status int) {
	c.status = status
	c.w.Header()["Content-Length"] = []string{"0"}
	c.w.WriteHeader(status)
}

// mediaType is that of JSON in the caller's version.
func (c *call) mediaType() string {
	if c.version < 2 {
		return "application/json"
	}
	return mediaV2
}
