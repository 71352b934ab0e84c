// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"errors"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mailboxes"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// track says where a message that the caller sent is, by its message ID or by the caller's local ID.
func (h *Handler) track(c *call) error {
	query := c.r.URL.Query()
	by := message.TrackQuery{ID: upper(query.Get("messageID")), LocalID: query.Get("localID")}
	if (by.ID == "") == (by.LocalID == "") {
		return invalid("query", "messageID", "is needed, or localID in its place, and only one of them")
	}
	for _, text := range []string{by.ID, by.LocalID} {
		if len(text) > 300 || !printable(text) {
			return invalid("query", "messageID", "must be printable text of at most 300 bytes")
		}
	}
	return h.answerTrack(c, by, c.version)
}

// trackByLocalID is the deprecated form, which only has the first version's answer.
func (h *Handler) trackByLocalID(c *call) error {
	return h.answerTrack(c, message.TrackQuery{LocalID: c.params[1]}, 1)
}

func (h *Handler) answerTrack(c *call, by message.TrackQuery, version int) error {
	t, err := h.service.Track(c.r.Context(), c.box.ID, by)
	if errors.Is(err, message.ErrAmbiguous) {
		return &fault{status: http.StatusMultipleChoices, event: eventReceive,
			text: "several of your messages have this local ID: track by the message ID, with tracking?messageID="}
	}
	if err != nil {
		return err
	}
	recipient := c.directory.Lookup(t.Recipient)
	if recipient == nil {
		recipient = &mailboxes.Mailbox{ID: t.Recipient}
	}
	if version < 2 {
		c.json(http.StatusOK, "application/json", h.trackingV1(c.box, recipient, &t))
		return nil
	}
	c.json(http.StatusOK, mediaV2, h.trackingV2(recipient, &t))
	return nil
}

// progress is a message's state in the published words.
type progress struct {
	// status is lower case in the second version of the API and capitalised in the first.
	status, statusV1         string
	event, code, description string
	success                  bool
	at                       time.Time
}

func progressOf(t *message.Track) progress {
	p := progress{status: "accepted", statusV1: "Accepted", event: eventTransfer, code: "00",
		description: "Transferred to recipient mailbox", success: true, at: t.AcceptedAt}
	switch t.State {
	case message.StateUploading:
		p.status, p.statusV1, p.description = "uploading", "Uploading", "Waiting for further chunks"
	case message.StateAcknowledged:
		p.status, p.statusV1, p.description = "acknowledged", "Acknowledged", "Acknowledged by the recipient"
		if !t.SettledAt.IsZero() {
			p.at = t.SettledAt
		}
	case message.StateUndelivered:
		p.status, p.statusV1, p.success = "undeliverable", "Undeliverable", false
		p.event, p.code, p.description = eventSend, "14", t.Reason
	}
	return p
}

type trackingV2 struct {
	MessageID  string    `json:"message_id"`
	LocalID    string    `json:"local_id,omitempty"`
	WorkflowID string    `json:"workflow_id,omitempty"`
	FileName   string    `json:"filename,omitempty"`
	Expiry     time.Time `json:"expiry_time"`
	Uploaded   time.Time `json:"upload_timestamp"`

	Recipient        string `json:"recipient"`
	RecipientName    string `json:"recipient_name,omitempty"`
	RecipientODSCode string `json:"recipient_ods_code,omitempty"`
	RecipientOrgCode string `json:"recipient_org_code,omitempty"`
	RecipientOrgName string `json:"recipient_org_name,omitempty"`

	Success     bool      `json:"status_success"`
	Status      string    `json:"status"`
	Event       string    `json:"status_event"`
	Time        time.Time `json:"status_timestamp"`
	Description string    `json:"status_description"`
	Code        string    `json:"status_code"`
}

func (h *Handler) trackingV2(to *mailboxes.Mailbox, t *message.Track) trackingV2 {
	p := progressOf(t)
	return trackingV2{
		MessageID: t.ID, LocalID: t.LocalID, WorkflowID: t.Interaction, FileName: t.FileName,
		Expiry: t.AcceptedAt.Add(h.CollectWithin).UTC(), Uploaded: t.AcceptedAt.UTC(),
		Recipient: to.ID, RecipientName: to.Name, RecipientODSCode: to.Organisation,
		RecipientOrgCode: to.Organisation, RecipientOrgName: to.Name,
		Success: p.success, Status: p.status, Event: p.event, Time: p.at.UTC(), Description: p.description, Code: p.code,
	}
}

type trackingV1 struct {
	AddressType       string  `json:"addressType"`
	Checksum          string  `json:"checksum"`
	ChunkCount        int     `json:"chunkCount"`
	CompressFlag      string  `json:"compressFlag"`
	ContentEncoding   string  `json:"contentEncoding"`
	DownloadTimestamp string  `json:"downloadTimestamp"`
	DTSID             string  `json:"dtsId"`
	EncryptedFlag     string  `json:"encryptedFlag"`
	ExpiryTime        string  `json:"expiryTime"`
	FailureDate       *string `json:"failureDate,omitempty"`
	FailureDiagnostic *string `json:"failureDiagnostic,omitempty"`
	FileName          string  `json:"fileName"`
	FileSize          int64   `json:"fileSize"`
	IsCompressed      string  `json:"isCompressed"`
	LocalID           string  `json:"localId"`
	RecipientODSCode  string  `json:"meshRecipientOdsCode"`
	MessageID         string  `json:"messageId"`
	MessageType       string  `json:"messageType"`
	PartnerID         string  `json:"partnerId"`
	Recipient         string  `json:"recipient"`
	RecipientName     string  `json:"recipientName"`
	RecipientOrgCode  string  `json:"recipientOrgCode"`
	RecipientOrgName  string  `json:"recipientOrgName"`
	RecipientSMTP     string  `json:"recipientSmtp"`
	Sender            string  `json:"sender"`
	SenderName        string  `json:"senderName"`
	SenderODSCode     string  `json:"senderOdsCode"`
	SenderOrgCode     string  `json:"senderOrgCode"`
	SenderOrgName     string  `json:"senderOrgName"`
	SenderSMTP        string  `json:"senderSmtp"`
	Status            string  `json:"status"`
	StatusCode        string  `json:"statusCode"`
	StatusDescription string  `json:"statusDescription"`
	StatusEvent       string  `json:"statusEvent"`
	StatusSuccess     string  `json:"statusSuccess"`
	StatusTimestamp   string  `json:"statusTimestamp"`
	Subject           string  `json:"subject"`
	UploadTimestamp   string  `json:"uploadTimestamp"`
	Version           string  `json:"version"`
	WorkflowID        string  `json:"workflowId"`
}

func (h *Handler) trackingV1(from, to *mailboxes.Mailbox, t *message.Track) trackingV1 {
	p := progressOf(t)
	v := trackingV1{
		AddressType: "ALL", Checksum: t.Metadata[mexChecksum], ChunkCount: t.Parts, CompressFlag: t.Metadata[mexCompressed],
		ContentEncoding: t.ContentEncoding, DownloadTimestamp: stampOf(t.SettledAt), DTSID: t.ID,
		EncryptedFlag: t.Metadata[mexEncrypted], ExpiryTime: stampOf(t.AcceptedAt.Add(h.CollectWithin)),
		FileName: t.FileName, FileSize: t.Size, IsCompressed: t.Metadata[mexCompressed], LocalID: t.LocalID,
		RecipientODSCode: to.Organisation, MessageID: t.ID, MessageType: "Data", PartnerID: t.Metadata[mexPartnerID],
		Recipient: to.ID, RecipientName: to.Name, RecipientOrgCode: to.Organisation, RecipientOrgName: to.Name,
		Sender: from.ID, SenderName: from.Name, SenderODSCode: from.Organisation, SenderOrgCode: from.Organisation,
		SenderOrgName: from.Name, Status: p.statusV1, StatusCode: p.code, StatusDescription: p.description,
		StatusEvent: p.event, StatusSuccess: "SUCCESS", StatusTimestamp: stampOf(p.at), Subject: t.Subject,
		UploadTimestamp: stampOf(t.AcceptedAt), Version: "1.0", WorkflowID: t.Interaction,
	}
	if v.FileName == "" {
		v.FileName = t.ID + ".dat"
	}
	if !p.success {
		at, text := stampOf(p.at), p.description
		v.StatusSuccess, v.FailureDate, v.FailureDiagnostic = "ERROR", &at, &text
	}
	return v
}
