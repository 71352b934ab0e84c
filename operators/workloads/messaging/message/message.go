// SPDX-License-Identifier: Apache-2.0

// Package message holds the words that the fronts of the message gateway (MESH, bulk) and its inside share:
// what is submitted, what a receiver is given, and the errors that a front turns into statuses.
package message

import "time"

// Submission is a message as its sender hands it in.
type Submission struct {
	// Sender and Recipient are mailbox ids, for example X26HC005. The front has proved the sender.
	Sender, Recipient string
	// Interaction is the workflow or interaction id; the route and its contract of reliability go by it.
	Interaction string
	// RequestID is the sender's own id of the request. A retry repeats it with the same payload and gets the
	// first receipt again. Empty: every submission is a new message. At most 300 bytes.
	RequestID string
	// LocalID is the sender's name for the message, for tracking (Mex-LocalID). Empty: none. At most 300 bytes.
	LocalID string
	// Subject, FileName, ContentType and ContentEncoding are handed on as they are.
	Subject, FileName, ContentType, ContentEncoding string
	// Metadata is handed on as it is: further headers, by canonical name.
	Metadata map[string]string
	// Tracked keeps the time of collection for Track. MESH sets it; it costs one more row.
	Tracked bool
	// Body is the payload, or the first part of it. The service keeps it until the call returns and no longer.
	Body []byte
}

// Receipt says that a message is durable on as many replicas as the site asks for.
type Receipt struct {
	ID string
	// Duplicate: the request was seen before with the same payload; ID is that of the first.
	Duplicate bool
	// At is when the message was accepted, UTC.
	At time.Time
}

// Kind tells data from reports.
type Kind string

const (
	// KindData is a message from another mailbox.
	KindData Kind = "DATA"
	// KindReport is a report by the gateway about an earlier message of this mailbox.
	KindReport Kind = "REPORT"
)

// Header is all of a message but its body.
type Header struct {
	ID                                              string
	Kind                                            Kind
	Sender, Recipient, Interaction                  string
	RequestID, LocalID                              string
	Subject, FileName, ContentType, ContentEncoding string
	Metadata                                        map[string]string
	// Size is the bytes of the whole body; Parts the number of parts, 1 for a body in one piece.
	Size  int64
	Parts int
	// AcceptedAt is when it was accepted; ExpiresAt when it will be deleted, collected or not.
	AcceptedAt, ExpiresAt time.Time
	// Report is set when Kind is KindReport.
	Report *Report
}

// Report is what a message of kind REPORT says about the message it is linked to.
type Report struct {
	// LinkedID is the message that the report is about.
	LinkedID string
	// To is the mailbox that it was for.
	To string
	// Code is the published status code ("14": not collected), Description its sentence, Event its name ("SEND").
	Code, Description, Event string
}

// Message is a header with one part of the body.
type Message struct {
	Header
	// Part counts from 1.
	Part int
	Body []byte
}

// InboxQuery asks for a page of an inbox, oldest first.
type InboxQuery struct {
	// Interaction filters by workflow when not empty; "!X" leaves X out, a trailing "*" matches by prefix.
	Interaction string
	// ContinueFrom is the Next of the page before; empty starts at the oldest.
	ContinueFrom string
	// Max is 1 to 5000; 0 means 500.
	Max int
}

// InboxPage is a page of an inbox.
type InboxPage struct {
	Headers []Header
	// Next continues the listing; empty when this page is the last.
	Next string
	// Approximate is the number of messages in the whole inbox at this moment.
	Approximate int64
}

// State is where a message is on its way.
type State string

const (
	// StateUploading: not all of its parts are in yet.
	StateUploading State = "Uploading"
	// StateAccepted: durable here, waiting for the recipient.
	StateAccepted State = "Accepted"
	// StateAcknowledged: the recipient has it and said so.
	StateAcknowledged State = "Acknowledged"
	// StateUndelivered: reported to the sender as not collected or not deliverable; an operator may still replay it.
	StateUndelivered State = "Undelivered"
)

// Track is what the sender may know of a message on its way.
type Track struct {
	Header
	State State
	// SettledAt is when the recipient acknowledged; zero when it did not, or when the message was not Tracked.
	SettledAt time.Time
	// Reason says why State is Undelivered.
	Reason string
}

// TrackQuery names a message by one of its ids.
type TrackQuery struct {
	ID, LocalID string
}

// Reply is an endpoint's answer to a synchronous call.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}
