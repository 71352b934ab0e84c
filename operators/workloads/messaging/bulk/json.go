// SPDX-License-Identifier: Apache-2.0

package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// outgoing is a message of batchSend, and what call sends.
type outgoing struct {
	RequestID       string            `json:"requestId,omitempty"`
	Recipient       string            `json:"recipient"`
	Interaction     string            `json:"interaction"`
	LocalID         string            `json:"localId,omitempty"`
	Subject         string            `json:"subject,omitempty"`
	FileName        string            `json:"fileName,omitempty"`
	ContentType     string            `json:"contentType,omitempty"`
	ContentEncoding string            `json:"contentEncoding,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	Body            []byte            `json:"body"`
}

func (o *outgoing) submission(sender string) *message.Submission {
	return &message.Submission{
		Sender: sender, Recipient: o.Recipient, Interaction: o.Interaction, RequestID: o.RequestID, LocalID: o.LocalID,
		Subject: o.Subject, FileName: o.FileName, ContentType: o.ContentType, ContentEncoding: o.ContentEncoding,
		Metadata: o.Metadata, Body: o.Body,
	}
}

type batch struct {
	Messages []outgoing `json:"messages"`
}

type sendResult struct {
	RequestID string   `json:"requestId,omitempty"`
	Status    string   `json:"status"`
	ID        string   `json:"id,omitempty"`
	Error     *problem `json:"error,omitempty"`
}

type receiveRequest struct {
	Max         int     `json:"max"`
	WaitSeconds float64 `json:"waitSeconds"`
}

// incoming is a message of receive.
type incoming struct {
	ID              string            `json:"id"`
	Kind            message.Kind      `json:"kind"`
	Sender          string            `json:"sender"`
	Recipient       string            `json:"recipient"`
	Interaction     string            `json:"interaction"`
	RequestID       string            `json:"requestId,omitempty"`
	LocalID         string            `json:"localId,omitempty"`
	Subject         string            `json:"subject,omitempty"`
	FileName        string            `json:"fileName,omitempty"`
	ContentType     string            `json:"contentType,omitempty"`
	ContentEncoding string            `json:"contentEncoding,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	Report          *report           `json:"report,omitempty"`
	AcceptedAt      time.Time         `json:"acceptedAt"`
	Lease           string            `json:"lease"`
	LeaseUntil      time.Time         `json:"leaseUntil"`
	Attempt         int               `json:"attempt"`
	Body            []byte            `json:"body"`
}

type report struct {
	LinkedID    string `json:"linkedId"`
	Code        string `json:"code"`
	Description string `json:"description"`
}

func incomingOf(d *message.Delivery) incoming {
	in := incoming{
		ID: d.ID, Kind: d.Kind, Sender: d.Sender, Recipient: d.Recipient, Interaction: d.Interaction, RequestID: d.RequestID,
		LocalID: d.LocalID, Subject: d.Subject, FileName: d.FileName, ContentType: d.ContentType,
		ContentEncoding: d.ContentEncoding, Metadata: d.Metadata, AcceptedAt: d.AcceptedAt, Lease: d.Lease,
		LeaseUntil: d.Until.UTC(), Attempt: d.Attempt, Body: d.Body,
	}
	if d.Report != nil {
		in.Report = &report{d.Report.LinkedID, d.Report.Code, d.Report.Description}
	}
	return in
}

type leases struct {
	Leases []string `json:"leases"`
	Reason string   `json:"reason,omitempty"`
	Final  bool     `json:"final,omitempty"`
}

type leaseResult struct {
	Status string   `json:"status"`
	Error  *problem `json:"error,omitempty"`
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// decodeJSON reads exactly one document without unknown fields.
func decodeJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return fmt.Errorf("%w: not JSON at byte %d", message.ErrInvalid, syntax.Offset)
		case errors.As(err, &kind):
			return fmt.Errorf("%w: %s: expected %s", message.ErrInvalid, kind.Field, kind.Type)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%w: the JSON document is empty or cut off", message.ErrInvalid)
		}
		// What remains names a field that is unknown, or base64 that is not.
		return fmt.Errorf("%w: %s", message.ErrInvalid, message.Clip(err.Error()))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: expected one JSON document and nothing after it", message.ErrInvalid)
	}
	return nil
}
