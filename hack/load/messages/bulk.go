// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
)

// maxAnswer bounds an answer to a batch of sends.
const maxAnswer = 1 << 20

// Bulk sends over the gateway's bulk interface.
type Bulk struct {
	client      *http.Client
	url         string
	interaction string
	payload     *Payload
	batch       int
	buffers     sync.Pool
}

// buffers of one request in flight.
type buffers struct{ request, body, answer []byte }

// NewBulk sends batches of at most batch messages (1 to 500) to the base URL.
func NewBulk(client *http.Client, url, interaction string, payload *Payload, batch int) *Bulk {
	return &Bulk{
		client: client, url: url + "/v1/messages:batchSend", interaction: interaction, payload: payload, batch: batch,
		buffers: sync.Pool{New: func() any { return new(buffers) }},
	}
}

// Batch is the limit that was given.
func (b *Bulk) Batch() int { return b.batch }

// Send tries each item once in one request.
func (b *Bulk) Send(ctx context.Context, items []Item, outcomes []Outcome) time.Duration {
	bufs := b.buffers.Get().(*buffers)
	defer b.buffers.Put(bufs)
	bufs.request = bufs.request[:0]
	for i := range items {
		m := items[i].Mark
		bufs.body = b.payload.Body(m, bufs.body)
		outcomes[i] = Outcome{Hash: record.Hash(bufs.body)}
		r := frame.Record{RequestID: m.String(), Recipient: fleet.MailboxID(m.Recipient), Interaction: b.interaction, Body: bufs.body}
		bufs.request = r.Append(bufs.request)
	}
	// The transport may still read a request's body after an answer that came early, so it must not be reused then.
	answer, status, header, err := post(ctx, b.client, b.url, frame.ContentType, bufs, maxAnswer)
	switch {
	case err != nil:
		bufs.request = nil
		whole(outcomes, unanswered(err))
		return 0
	case status != http.StatusOK:
		bufs.request = nil
		whole(outcomes, failed(status, answer))
		return retryAfter(header)
	}
	if err := results(answer, items, outcomes); err != nil {
		whole(outcomes, unanswered(err))
	}
	return 0
}

// post sends bufs.request and reads the answer into bufs.answer.
func post(ctx context.Context, client *http.Client, url, contentType string, bufs *buffers, limit int) ([]byte, int, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(bufs.request))
	if err != nil {
		return nil, 0, nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", frame.ContentType)
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	bufs.answer, err = readAll(resp.Body, bufs.answer, limit)
	return bufs.answer, resp.StatusCode, resp.Header, err
}

// results reads the outcome of each item. An answer that does not fit what was asked leaves all of it open.
func results(answer []byte, items []Item, outcomes []Outcome) error {
	reader := frame.NewReader(answer)
	var r frame.Record
	for i := range items {
		if !reader.More() {
			return fmt.Errorf("the gateway answered %d of %d messages", i, len(items))
		}
		if err := reader.Next(&r); err != nil {
			return fmt.Errorf("the gateway's answer: %w", err)
		}
		if m, err := record.ParseMark([]byte(r.RequestID)); err != nil || m != items[i].Mark {
			return fmt.Errorf("the gateway's answer %d is about another request", i)
		}
		o := &outcomes[i]
		o.Status = http.StatusOK
		switch r.Status {
		case "acknowledged":
			o.Kind = record.Acknowledged
		case "duplicate":
			o.Kind = record.Duplicate
		case "conflict", "refused":
			o.Kind = record.Refused
		case "retry":
			o.Kind = record.Ambiguous
		default:
			return fmt.Errorf("the gateway answered with unknown status %.30q", r.Status)
		}
		if r.ID != "" {
			o.Ref = record.Ref(r.ID)
		}
		if r.Code != "" {
			o.Why = fmt.Sprintf("%s: %s: %.200s", r.Status, r.Code, r.Detail)
		}
	}
	if reader.More() {
		return fmt.Errorf("the gateway answered more than the %d messages sent", len(items))
	}
	return nil
}
