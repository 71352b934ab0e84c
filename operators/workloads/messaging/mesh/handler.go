// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mailboxes"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Config is what the front needs beside the service. Fields that say so have a default for their zero value.
type Config struct {
	// Mailboxes says who may call.
	Mailboxes *mailboxes.Store
	// Log gets refusals and faults: never a body, a password, a token or a header that the sender filled in.
	Log *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// MaxRequestBytes is the most that one request may carry; message.MaxRequestBytes by default.
	MaxRequestBytes int64
	// BodyBudgetBytes is the most that all bodies being read or stored may hold together, beyond which requests are
	// asked to come again (503); 128 MiB by default.
	BodyBudgetBytes int64
	// CollectWithin is how long a message waits before its sender is told that nobody collected it; tracking shows it.
	// 5 days by default, as published.
	CollectWithin time.Duration
	// Observe is told of every request that reached an operation; it may be nil. Operations are those of Routes.
	Observe func(operation string, status int, took time.Duration)
}

// nonces is how many are remembered: some 30 MiB at the most with a new one for each request.
const nonces = 1 << 20

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	Config
	service message.Service
	guard   *auth.Guard
	bodies  budget
}

// New makes the front over a service. The certificate authority of clients is the TLS configuration's business; the
// handler only reads the verified certificate's names.
func New(service message.Service, config Config) http.Handler {
	h := &Handler{Config: config, service: service, guard: auth.NewGuard(nonces)}
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Observe == nil {
		h.Observe = func(string, int, time.Duration) {}
	}
	h.MaxRequestBytes = cmp.Or(h.MaxRequestBytes, message.MaxRequestBytes)
	h.bodies.limit = cmp.Or(h.BodyBudgetBytes, 128<<20)
	h.CollectWithin = cmp.Or(h.CollectWithin, 5*24*time.Hour)
	return h
}

// call is one request on its way through the front.
type call struct {
	w http.ResponseWriter
	r *http.Request
	// operation is the route's name.
	operation string
	// params are the path's variable segments, unescaped, in order.
	params []string
	// version is what the caller accepts: 1 or 2.
	version int
	// started is when the request came.
	started time.Time
	// directory is the version of the mailbox list that this request goes by.
	directory *mailboxes.Directory
	// box is the caller's own mailbox; nil for operations without one.
	box *mailboxes.Mailbox
	// token is what the guard holds for this request; nil before it does.
	token *auth.Header
	// status is what was answered; 0 before that.
	status int
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, version: 1, started: h.Now(), directory: h.Mailboxes.Directory()}
	route, err := c.route()
	if err != nil {
		h.refuse(c, err)
		return
	}
	c.operation = route.Operation
	if err := h.serve(c, route); err != nil {
		h.refuse(c, err)
	}
	h.Observe(c.operation, c.status, h.Now().Sub(c.started))
}

func (h *Handler) serve(c *call, route *Route) (err error) {
	if err := h.admit(c, route.caller); err != nil {
		return err
	}
	if c.version, err = acceptedVersion(c.r.Header.Get("Accept")); err != nil {
		return err
	}
	return route.serve(h, c)
}

// refuse answers with the error, and lets the caller's token be used again where it is asked to repeat the request.
func (h *Handler) refuse(c *call, err error) {
	if c.status != 0 {
		// The answer has begun: only breaking it off tells the caller that it is not whole.
		h.Log.Error("an answer broke off", "operation", c.operation, "mailbox", c.mailbox(), "error", err)
		panic(http.ErrAbortHandler)
	}
	f := faultOf(err)
	if c.token != nil && (f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable) {
		h.guard.Release(c.token)
	}
	id := internalID(c.started)
	switch {
	case c.r.Context().Err() != nil && errors.Is(err, c.r.Context().Err()):
		// The caller has gone.
	case f.status >= http.StatusInternalServerError && f.status != http.StatusServiceUnavailable:
		h.Log.Error("a request failed", "operation", c.operation, "mailbox", c.mailbox(), "id", id, "status", f.status, "error", err)
	case f.status == http.StatusForbidden:
		h.Log.Warn("a request was refused", "operation", c.operation, "mailbox", c.mailbox(), "id", id,
			"certificate", message.Clip(firstName(c.r)), "reason", f.text)
	}
	c.fault(f, id)
}

// mailbox is the caller's mailbox for a log line: the proven one, or what the path claims.
func (c *call) mailbox() string {
	switch {
	case c.box != nil:
		return c.box.ID
	case len(c.params) > 0:
		return message.Clip(c.params[0])
	}
	return ""
}
