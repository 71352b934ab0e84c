// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// Item is one message on its way out.
type Item struct {
	Mark record.Mark
	// Start is the intended start, Unix nanoseconds.
	Start   int64
	attempt uint8
}

// Outcome is what one try of an item came to.
type Outcome struct {
	// Kind is Acknowledged, Duplicate, Refused or Ambiguous.
	Kind record.Kind
	// PushedBack: the system surely did not take it and asks to be asked later; Kind is Ambiguous then, too.
	PushedBack bool
	// Status is the HTTP status, 0 without an answer.
	Status uint16
	Ref    uint64
	Hash   [16]byte
	// Why explains all but an acknowledgement. It never quotes a body.
	Why string
}

// Link is one way into the gateway, for one sending mailbox.
type Link interface {
	// Send tries each item once, and fills in as many outcomes. It returns how long the gateway asks to wait before
	// what was pushed back is tried again; 0 when it did not say.
	Send(ctx context.Context, items []Item, outcomes []Outcome) time.Duration
	// Batch is how many items Send takes at most.
	Batch() int
}

// whole gives all items of a request the same outcome.
func whole(outcomes []Outcome, o Outcome) {
	for i := range outcomes {
		outcomes[i].Kind, outcomes[i].PushedBack, outcomes[i].Status, outcomes[i].Why = o.Kind, o.PushedBack, o.Status, o.Why
	}
}

// unanswered is the outcome of a request without an answer.
func unanswered(err error) Outcome { return Outcome{Kind: record.Ambiguous, Why: err.Error()} }

// failed judges an answer that is no success. What the service says in it is cut, and holds no body by contract.
func failed(status int, answer []byte) Outcome {
	o := Outcome{Status: uint16(status), Why: fmt.Sprintf("HTTP %d: %.200s", status, answer)}
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		o.Kind, o.PushedBack = record.Ambiguous, true
	case status >= 500 || status == http.StatusRequestTimeout:
		o.Kind = record.Ambiguous
	default:
		o.Kind = record.Refused
	}
	return o
}

// retryAfter reads the header in seconds, at most a minute.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Minute)
}

// readAll reads an answer into buf, up to a limit that no right answer reaches.
func readAll(r io.Reader, buf []byte, limit int) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
		if len(buf) > limit {
			return buf, fmt.Errorf("the answer is longer than %d bytes", limit)
		}
	}
}
