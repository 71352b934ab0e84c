// SPDX-License-Identifier: Apache-2.0

package bulk

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func framed(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == frame.ContentType
}

func wantsFrames(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), frame.ContentType)
}

func (h *handler) batchSend(w http.ResponseWriter, r *http.Request, caller message.Party) {
	limit := h.config.MaxRequestBytes + overhead
	if !framed(r) {
		// Base64 takes four bytes for three.
		limit = h.config.MaxRequestBytes*4/3 + overhead
	}
	body, release, ok := h.body(w, r, limit)
	if !ok {
		return
	}
	defer release()
	submissions, err := decodeBatch(body, framed(r), caller.Mailbox)
	if err == nil && (len(submissions) == 0 || len(submissions) > maxBatch) {
		err = fmt.Errorf("%w: messages: %d, expected 1 to %d", message.ErrInvalid, len(submissions), maxBatch)
	}
	if err != nil {
		failWith(w, err)
		return
	}
	results := h.service.SubmitBatch(r.Context(), submissions)
	if err := allOverloaded(results); err != nil {
		failWith(w, err)
		return
	}
	if wantsFrames(r) {
		h.framedResults(w, submissions, results)
		return
	}
	out := struct {
		Results []sendResult `json:"results"`
	}{make([]sendResult, len(results))}
	for i := range results {
		out.Results[i] = resultOf(submissions[i].RequestID, &results[i])
	}
	writeJSON(w, http.StatusOK, out)
}

func decodeBatch(body []byte, framed bool, sender string) ([]*message.Submission, error) {
	if !framed {
		var b batch
		if err := decodeJSON(body, &b); err != nil {
			return nil, err
		}
		submissions := make([]*message.Submission, len(b.Messages))
		for i := range b.Messages {
			submissions[i] = b.Messages[i].submission(sender)
		}
		return submissions, nil
	}
	var submissions []*message.Submission
	var rec frame.Record
	for reader := frame.NewReader(body); reader.More(); {
		if err := reader.Next(&rec); err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", message.ErrInvalid, len(submissions)+1, err)
		}
		submissions = append(submissions, &message.Submission{
			Sender: sender, Recipient: rec.Recipient, Interaction: rec.Interaction, RequestID: rec.RequestID, LocalID: rec.LocalID,
			Subject: rec.Subject, FileName: rec.FileName, ContentType: rec.ContentType, ContentEncoding: rec.ContentEncoding,
			Metadata: rec.Metadata, Body: rec.Body,
		})
		if len(submissions) > maxBatch {
			break
		}
	}
	return submissions, nil
}

// allOverloaded is the error when nothing of a batch was taken because there is no room: then the whole request says
// so, with Retry-After.
func allOverloaded(results []message.Result) error {
	for i := range results {
		var overloaded *message.OverloadedError
		if !errors.As(results[i].Err, &overloaded) {
			return nil
		}
	}
	return results[0].Err
}

// statusOf says whether a message is safe (acknowledged, duplicate), never will be as it is (conflict, refused), or
// should be sent again with the same request id (retry).
func statusOf(r *message.Result) string {
	switch {
	case r.Err == nil && r.Duplicate:
		return "duplicate"
	case r.Err == nil:
		return "acknowledged"
	case errors.Is(r.Err, message.ErrConflict):
		return "conflict"
	}
	if status, _ := classify(r.Err); status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return "retry"
	}
	return "refused"
}

func resultOf(request string, r *message.Result) sendResult {
	out := sendResult{RequestID: request, Status: statusOf(r)}
	if r.Err != nil {
		_, code := classify(r.Err)
		out.Error = &problem{code, sentence(r.Err)}
		return out
	}
	out.ID = r.ID
	return out
}

func (h *handler) framedResults(w http.ResponseWriter, submissions []*message.Submission, results []message.Result) {
	out := make([]byte, 0, 96*len(results))
	for i := range results {
		r := resultOf(submissions[i].RequestID, &results[i])
		rec := frame.Record{RequestID: r.RequestID, Status: r.Status, ID: r.ID}
		if r.Error != nil {
			rec.Code, rec.Detail = r.Error.Code, r.Error.Message
		}
		out = rec.Append(out)
	}
	w.Header().Set("Content-Type", frame.ContentType)
	_, _ = w.Write(out)
}

func (h *handler) call(w http.ResponseWriter, r *http.Request, caller message.Party) {
	body, release, ok := h.body(w, r, h.config.MaxRequestBytes*4/3+overhead)
	if !ok {
		return
	}
	defer release()
	var o outgoing
	if err := decodeJSON(body, &o); err != nil {
		failWith(w, err)
		return
	}
	reply, err := h.service.Call(r.Context(), o.submission(caller.Mailbox))
	if err != nil {
		failWith(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Status      int    `json:"status"`
		ContentType string `json:"contentType"`
		Body        []byte `json:"body"`
	}{reply.Status, reply.ContentType, reply.Body})
}

func (h *handler) receive(w http.ResponseWriter, r *http.Request, caller message.Party) {
	var ask receiveRequest
	if !own(w, r, caller) || !h.ask(w, r, &ask) {
		return
	}
	wait := time.Duration(ask.WaitSeconds * float64(time.Second))
	if ask.Max < 1 || ask.Max > maxBatch || wait < 0 || wait > maxWait {
		failWith(w, fmt.Errorf("%w: expected max 1 to %d and waitSeconds 0 to %d", message.ErrInvalid, maxBatch, int(maxWait.Seconds())))
		return
	}
	found, err := h.service.Receive(r.Context(), caller.Mailbox, ask.Max, wait)
	if err != nil {
		failWith(w, err)
		return
	}
	if r.Context().Err() != nil {
		h.service.Return(caller.Mailbox, found)
		return
	}
	if wantsFrames(r) {
		h.framedMessages(w, found)
		return
	}
	out := struct {
		Messages []incoming `json:"messages"`
	}{make([]incoming, len(found))}
	for i := range found {
		out.Messages[i] = incomingOf(&found[i])
	}
	writeJSON(w, http.StatusOK, out)
}

func (h *handler) framedMessages(w http.ResponseWriter, found []message.Delivery) {
	buffer, _ := h.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	out := (*buffer)[:0]
	for i := range found {
		d := &found[i]
		rec := frame.Record{
			ID: d.ID, Sender: d.Sender, Recipient: d.Recipient, Interaction: d.Interaction, RequestID: d.RequestID, LocalID: d.LocalID,
			Subject: d.Subject, FileName: d.FileName, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding,
			Metadata: d.Metadata, Lease: d.Lease, Until: d.Until.UnixMilli(), Attempt: d.Attempt, Body: d.Body,
		}
		if d.Report != nil {
			rec.Kind, rec.Code, rec.Detail = string(d.Kind), d.Report.Code, d.Report.LinkedID+": "+d.Report.Description
		}
		out = rec.Append(out)
	}
	w.Header().Set("Content-Type", frame.ContentType)
	if _, err := w.Write(out); err != nil && len(found) > 0 {
		h.service.Return(found[0].Recipient, found)
	}
	if *buffer = out; cap(out) <= 2<<20 {
		h.buffers.Put(buffer)
	}
}

// ask reads a small JSON request.
func (h *handler) ask(w http.ResponseWriter, r *http.Request, into any) bool {
	body, release, ok := h.body(w, r, 64<<10)
	if !ok {
		return false
	}
	defer release()
	if err := decodeJSON(body, into); err != nil {
		failWith(w, err)
		return false
	}
	return true
}

func (h *handler) settle(w http.ResponseWriter, r *http.Request, caller message.Party) {
	h.leases(w, r, caller, "settled", func(l *leases) []error {
		return h.service.Settle(r.Context(), caller.Mailbox, l.Leases)
	})
}

func (h *handler) reject(w http.ResponseWriter, r *http.Request, caller message.Party) {
	h.leases(w, r, caller, "rejected", func(l *leases) []error {
		return h.service.Reject(r.Context(), caller.Mailbox, l.Leases, l.Reason, l.Final)
	})
}

func (h *handler) leases(w http.ResponseWriter, r *http.Request, caller message.Party, done string, do func(*leases) []error) {
	var ask leases
	if !own(w, r, caller) || !h.ask(w, r, &ask) {
		return
	}
	if len(ask.Leases) == 0 || len(ask.Leases) > maxBatch {
		failWith(w, fmt.Errorf("%w: leases: %d, expected 1 to %d", message.ErrInvalid, len(ask.Leases), maxBatch))
		return
	}
	out := struct {
		Results []leaseResult `json:"results"`
	}{make([]leaseResult, len(ask.Leases))}
	for i, err := range do(&ask) {
		out.Results[i] = leaseResult{Status: done}
		if err != nil {
			_, code := classify(err)
			out.Results[i] = leaseResult{Status: "retry", Error: &problem{code, sentence(err)}}
			if errors.Is(err, message.ErrNotFound) {
				out.Results[i].Status = "unknown"
			}
		}
	}
	writeJSON(w, http.StatusOK, out)
}
