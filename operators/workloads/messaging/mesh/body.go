// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// firstRead is what a body of unknown length is given to begin with.
	firstRead = 64 << 10
	// bodyTimeout is how long a caller may take over a body that is not small: 5 MB at 42 kB/s.
	bodyTimeout = 2 * time.Minute
)

// budget bounds the bytes that all bodies in hand may take.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }

var errBudget = &fault{status: http.StatusServiceUnavailable, event: eventSend, retryAfter: time.Second,
	text: "the gateway holds as many messages as it may: send again after a second"}

// body reads the request's body, within the limit of one request and the budget of all. Done gives the budget back;
// the body must not be used after it.
func (h *Handler) body(c *call) (body []byte, done func(), err error) {
	var held int64
	done = func() { h.bodies.give(held) }
	defer func() {
		if err != nil {
			done()
			done = nil
		}
	}()
	length := c.r.ContentLength
	if length > h.MaxRequestBytes {
		return nil, done, h.tooLarge()
	}
	if length == 0 {
		return nil, done, nil
	}
	grow := func(n int64) bool {
		if !h.bodies.take(n) {
			return false
		}
		held += n
		return true
	}
	if length > firstRead || length < 0 {
		control := http.NewResponseController(c.w)
		// Writers without deadlines, as in tests, do without; the server's own limits still hold.
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	if length > 0 {
		if !grow(length) {
			return nil, done, errBudget
		}
		body = make([]byte, length)
		if _, err := io.ReadFull(c.r.Body, body); err != nil {
			return nil, done, brokenBody(err)
		}
		return body, done, nil
	}
	// Compressing clients send a body without saying how long it will be.
	limit := h.MaxRequestBytes + 1
	if !grow(min(firstRead, limit)) {
		return nil, done, errBudget
	}
	body = make([]byte, 0, min(firstRead, limit))
	for {
		n, err := c.r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) >= limit:
			return nil, done, h.tooLarge()
		case errors.Is(err, io.EOF):
			return body, done, nil
		case err != nil:
			return nil, done, brokenBody(err)
		case len(body) < cap(body):
			continue
		}
		size := min(2*int64(cap(body)), limit)
		if !grow(size - int64(cap(body))) {
			return nil, done, errBudget
		}
		body = append(make([]byte, 0, size), body...)
	}
}

func (h *Handler) tooLarge() error {
	return &fault{status: http.StatusRequestEntityTooLarge, event: eventSend, code: "TooLarge",
		text: fmt.Sprintf("one request carries at most %d bytes: compress the message, or send it in chunks with Mex-Chunk-Range", h.MaxRequestBytes)}
}

// brokenBody is answered for the record: the caller that broke off will hardly read it.
func brokenBody(err error) error {
	return fmt.Errorf("%w: %w", &fault{status: http.StatusBadRequest, event: eventTransfer, code: codeNoData,
		text: "the body ended early: send it whole, with the right Content-Length"}, err)
}
