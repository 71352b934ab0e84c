// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
)

// Mesh sends over the published MESH interface: one message a request.
type Mesh struct {
	client      *http.Client
	url         string
	interaction string
	payload     *Payload
	mailbox     *fleet.Mailbox
	sharedKey   string
	nonce       string
	count       atomic.Uint64
	buffers     sync.Pool
}

// NewMesh sends as the mailbox to the base URL.
func NewMesh(client *http.Client, url, interaction string, payload *Payload, f *fleet.Fleet, m *fleet.Mailbox) *Mesh {
	nonce := hex.EncodeToString(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, rand.Uint64()), rand.Uint64()))
	return &Mesh{
		client: client, url: url + "/messageexchange/" + m.ID, interaction: interaction, payload: payload,
		mailbox: m, sharedKey: f.SharedKey, nonce: nonce,
		buffers: sync.Pool{New: func() any { return new(buffers) }},
	}
}

// Batch is 1: MESH has no batches.
func (m *Mesh) Batch() int { return 1 }

// Send tries the one item once.
func (m *Mesh) Send(ctx context.Context, items []Item, outcomes []Outcome) time.Duration {
	bufs := m.buffers.Get().(*buffers)
	defer m.buffers.Put(bufs)
	bufs.body = m.payload.Body(items[0].Mark, bufs.body)
	o := &outcomes[0]
	*o = Outcome{Hash: record.Hash(bufs.body)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/outbox", bytes.NewReader(bufs.body))
	if err != nil {
		whole(outcomes, unanswered(err))
		return 0
	}
	h := req.Header
	h.Set("Authorization", auth.Token(m.mailbox.ID, m.mailbox.Password, m.sharedKey, m.nonce, m.count.Add(1), time.Now()))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Accept", "application/vnd.mesh.v2+json")
	h.Set("Mex-From", m.mailbox.ID)
	h.Set("Mex-To", fleet.MailboxID(items[0].Mark.Recipient))
	h.Set("Mex-WorkflowID", m.interaction)
	h.Set("Mex-LocalID", items[0].Mark.String())
	resp, err := m.client.Do(req)
	if err != nil {
		bufs.body = nil
		whole(outcomes, unanswered(err))
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	bufs.answer, err = readAll(resp.Body, bufs.answer, maxAnswer)
	if err == nil && resp.StatusCode == http.StatusAccepted {
		err = accepted(bufs.answer, o)
	} else if err == nil {
		bufs.body = nil
		whole(outcomes, failed(resp.StatusCode, bufs.answer))
		return retryAfter(resp.Header)
	}
	if err != nil {
		bufs.body = nil
		whole(outcomes, unanswered(err))
	}
	return 0
}

// accepted reads the message ID of an answer in either of the interface's forms.
func accepted(answer []byte, o *Outcome) error {
	var receipt struct {
		MessageID string `json:"message_id"`
		// Plain is the name that the first form of the interface has for it.
		Plain string `json:"messageID"`
	}
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return err
	}
	id := receipt.MessageID
	if id == "" {
		id = receipt.Plain
	}
	if id == "" {
		return errors.New("the gateway accepted without a message ID")
	}
	o.Kind, o.Status, o.Ref = record.Acknowledged, http.StatusAccepted, record.Ref(id)
	return nil
}
