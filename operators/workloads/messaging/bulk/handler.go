// SPDX-License-Identifier: Apache-2.0

// Package bulk is the interface for internal systems that send and collect many messages: batch send, long-poll batch
// receive, settle and reject, in JSON or in the frames of package frame. openapi.yaml describes it.
package bulk

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

//go:embed openapi.yaml
var openapi []byte

const (
	// maxBatch is the most messages, leases and received messages of one request.
	maxBatch = 500
	// maxWait bounds a long poll.
	maxWait = 60 * time.Second
	// overhead is what a request may have beside its bodies, in bytes.
	overhead = 1 << 20
)

// Service is what the interface needs of the gateway.
type Service interface {
	message.Bulk
	// Return gives back what could not be handed over, so that the next receiver has it at once.
	Return(mailbox string, given []message.Delivery)
}

// Config says how much the interface takes on.
type Config struct {
	Directory message.Directory
	// MaxRequestBytes bounds the bodies of one request; 0 means message.MaxRequestBytes.
	MaxRequestBytes int64
	// BudgetBytes bounds the requests being read, together; 0 means 128 MiB.
	BudgetBytes int64
	Log         *slog.Logger
	// Observe is told of every request that ended; it may be nil.
	Observe func(operation string, status int, took time.Duration)
}

type handler struct {
	service Service
	config  Config
	budget  atomic.Int64
	buffers sync.Pool
}

// operation is a path of the interface; it gets the caller's mailbox.
type operation struct {
	pattern, name string
	do            func(h *handler, w http.ResponseWriter, r *http.Request, caller message.Party)
}

var operations = []operation{
	{"POST /v1/messages:batchSend", "batchSend", (*handler).batchSend},
	{"POST /v1/messages:call", "call", (*handler).call},
	{"POST /v1/mailboxes/{id}/messages:receive", "receive", (*handler).receive},
	{"POST /v1/mailboxes/{id}/messages:settle", "settle", (*handler).settle},
	{"POST /v1/mailboxes/{id}/messages:reject", "reject", (*handler).reject},
}

// New makes the handler, for a TLS listener that has verified the clients' certificates.
func New(service Service, config Config) http.Handler {
	if config.MaxRequestBytes == 0 {
		config.MaxRequestBytes = message.MaxRequestBytes
	}
	if config.BudgetBytes == 0 {
		config.BudgetBytes = 128 << 20
	}
	h := &handler{service: service, config: config}
	mux := http.NewServeMux()
	for _, op := range operations {
		mux.HandleFunc(op.pattern, func(w http.ResponseWriter, r *http.Request) {
			start, rec := time.Now(), &recorder{ResponseWriter: w, status: http.StatusOK}
			if caller, ok := h.caller(rec, r); ok {
				op.do(h, rec, r, caller)
			}
			if config.Observe != nil {
				config.Observe(op.name, rec.status, time.Since(start))
			}
		})
	}
	mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "notFound", "no such operation; GET /openapi.yaml lists them")
	})
	return mux
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// caller is the internal mailbox that the certificate stands for.
func (h *handler) caller(w http.ResponseWriter, r *http.Request) (message.Party, bool) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		fail(w, http.StatusUnauthorized, "noCertificate", "connect with a client certificate of this service's clients' authority")
		return message.Party{}, false
	}
	leaf := r.TLS.VerifiedChains[0][0]
	names := append([]string{leaf.Subject.CommonName}, leaf.DNSNames...)
	for _, party := range h.config.Directory.Named(names) {
		if party.Internal {
			return party, true
		}
	}
	fail(w, http.StatusForbidden, "notInternal",
		"the certificate's names belong to no mailbox that may use the bulk interface; use MESH, or have the mailbox marked internal")
	return message.Party{}, false
}

// own refuses another mailbox's messages.
func own(w http.ResponseWriter, r *http.Request, caller message.Party) bool {
	if r.PathValue("id") == caller.Mailbox {
		return true
	}
	fail(w, http.StatusForbidden, "notYourMailbox", fmt.Sprintf("the certificate is for mailbox %s; use that in the path", caller.Mailbox))
	return false
}

// body reads a request into a pooled buffer; release must be called when it is not used any more.
func (h *handler) body(w http.ResponseWriter, r *http.Request, limit int64) (b []byte, release func(), ok bool) {
	size := r.ContentLength
	if size < 0 {
		size = limit
	}
	if size > limit {
		fail(w, http.StatusRequestEntityTooLarge, "tooLarge", fmt.Sprintf("the request has %d bytes, at most %d; send fewer messages at once", size, limit))
		return nil, nil, false
	}
	if h.budget.Add(size) > h.config.BudgetBytes {
		h.budget.Add(-size)
		failWith(w, &message.OverloadedError{RetryAfter: time.Second})
		return nil, nil, false
	}
	buffer, _ := h.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	release = func() {
		h.budget.Add(-size)
		// One giant request must not keep its room for ever.
		if cap(*buffer) <= 2<<20 {
			h.buffers.Put(buffer)
		}
	}
	if b, ok = readAll(r.Body, (*buffer)[:0], size, limit); !ok {
		release()
		if int64(len(b)) > limit {
			fail(w, http.StatusRequestEntityTooLarge, "tooLarge", fmt.Sprintf("the request exceeds %d bytes; send fewer messages at once", limit))
		} else {
			fail(w, http.StatusBadRequest, "cutOff", "the request broke off; send it again")
		}
		return nil, nil, false
	}
	*buffer = b
	return b, release, true
}

func readAll(r io.Reader, b []byte, size, limit int64) ([]byte, bool) {
	if int64(cap(b)) < size+1 {
		b = make([]byte, 0, size+1)
	}
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return b, false
		case err == io.EOF:
			return b, true
		case err != nil:
			return b, false
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

// failure is the body of every answer that is not 200.
type failure struct {
	Error problem `json:"error"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func fail(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, failure{problem{code, text}})
}

// failWith answers with one of message's errors.
func failWith(w http.ResponseWriter, err error) {
	status, code := classify(err)
	if after := retryAfter(err); after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	fail(w, status, code, sentence(err))
}

// sentence is what the caller may read: the inside of a fault stays inside.
func sentence(err error) string {
	if errors.Is(err, message.ErrUnavailable) {
		return message.ErrUnavailable.Error() + "; repeat the request with the same request ids"
	}
	if _, code := classify(err); code == "internal" {
		return "a fault of the gateway; repeat the request with the same request ids"
	}
	return err.Error()
}

// retryAfter is in seconds; 0 means that repeating does not help.
func retryAfter(err error) int {
	var overloaded *message.OverloadedError
	var stopped *message.StoppedError
	switch {
	case errors.As(err, &overloaded):
		return max(1, int(math.Ceil(overloaded.RetryAfter.Seconds())))
	case errors.As(err, &stopped):
		return 60
	case errors.Is(err, message.ErrUnavailable):
		return 2
	case errors.Is(err, message.ErrDraining):
		return 1
	}
	return 0
}

func classify(err error) (status int, code string) {
	var overloaded *message.OverloadedError
	var stopped *message.StoppedError
	switch {
	case errors.As(err, &overloaded) && overloaded.Throttled:
		return http.StatusTooManyRequests, "throttled"
	case errors.As(err, &overloaded):
		return http.StatusServiceUnavailable, "overloaded"
	case errors.As(err, &stopped):
		return http.StatusServiceUnavailable, "supplierStopped"
	case errors.Is(err, message.ErrConflict):
		return http.StatusConflict, "conflict"
	case errors.Is(err, message.ErrUnknownRecipient):
		return http.StatusUnprocessableEntity, "unknownRecipient"
	case errors.Is(err, message.ErrUnknownInteraction):
		return http.StatusUnprocessableEntity, "unknownInteraction"
	case errors.Is(err, message.ErrNotPermitted):
		return http.StatusForbidden, "notPermitted"
	case errors.Is(err, message.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "tooLarge"
	case errors.Is(err, message.ErrInvalid):
		return http.StatusBadRequest, "invalid"
	case errors.Is(err, message.ErrNotFound):
		return http.StatusNotFound, "notFound"
	case errors.Is(err, message.ErrGone):
		return http.StatusGone, "gone"
	case errors.Is(err, message.ErrTimeout):
		return http.StatusGatewayTimeout, "timeout"
	case errors.Is(err, message.ErrEndpoint):
		return http.StatusBadGateway, "endpoint"
	case errors.Is(err, message.ErrUnavailable):
		return http.StatusServiceUnavailable, "unavailable"
	case errors.Is(err, message.ErrDraining):
		return http.StatusServiceUnavailable, "draining"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "cancelled"
	}
	return http.StatusInternalServerError, "internal"
}
