// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// memory is the gateway's inside for these tests: it keeps what it is given and forgets nothing.
type memory struct {
	directory message.Directory
	now       func() time.Time
	clock     *message.Clock
	// fails, when set, is what every call answers.
	fails error

	mu   sync.Mutex
	held []*held
}

type held struct {
	message.Header
	parts map[int][]byte
	state message.State
	at    time.Time
}

// once is the workflow whose contract eliminates duplicates; unrouted has no route.
const once, unrouted = "ONCE", "UNROUTED"

func (m *memory) check(s *message.Submission) error {
	if m.fails != nil {
		return m.fails
	}
	to, found := m.directory.Party(s.Recipient)
	switch {
	case !found:
		return fmt.Errorf("%w: no mailbox %q", message.ErrUnknownRecipient, message.Clip(s.Recipient))
	case s.Interaction == unrouted:
		return fmt.Errorf("%w: no route for %q", message.ErrUnknownInteraction, s.Interaction)
	case len(to.Workflows) > 0 && !slices.Contains(to.Workflows, s.Interaction):
		return fmt.Errorf("%w: %s does not take part in %q", message.ErrNotPermitted, to.Mailbox, s.Interaction)
	}
	return nil
}

func (m *memory) Submit(ctx context.Context, s *message.Submission) (message.Receipt, error) {
	return m.Begin(ctx, s, 1)
}

func (m *memory) Begin(_ context.Context, s *message.Submission, parts int) (message.Receipt, error) {
	if err := m.check(s); err != nil {
		return message.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.Interaction == once && s.RequestID != "" {
		for _, h := range m.held {
			if h.Sender == s.Sender && h.RequestID == s.RequestID {
				if !bytes.Equal(h.parts[1], s.Body) {
					return message.Receipt{}, message.ErrConflict
				}
				return message.Receipt{ID: h.ID, Duplicate: true, At: h.AcceptedAt}, nil
			}
		}
	}
	now := m.now()
	h := &held{
		Header: message.Header{
			ID: m.clock.Next(now).String(), Kind: message.KindData, Sender: s.Sender, Recipient: s.Recipient, Interaction: s.Interaction,
			RequestID: s.RequestID, LocalID: s.LocalID, Subject: s.Subject, FileName: s.FileName, ContentType: s.ContentType,
			ContentEncoding: s.ContentEncoding, Metadata: s.Metadata, Size: int64(len(s.Body)), Parts: parts, AcceptedAt: now,
		},
		parts: map[int][]byte{1: bytes.Clone(s.Body)}, state: message.StateAccepted,
	}
	if parts > 1 {
		h.state = message.StateUploading
	}
	m.held = append(m.held, h)
	return message.Receipt{ID: h.ID, At: now}, nil
}

func (m *memory) find(id string, whose func(*held) string, mailbox string) (*held, error) {
	if m.fails != nil {
		return nil, m.fails
	}
	for _, h := range m.held {
		if h.ID == id && whose(h) == mailbox {
			return h, nil
		}
	}
	return nil, fmt.Errorf("%w: %s has no message %q", message.ErrNotFound, mailbox, message.Clip(id))
}

func sender(h *held) string    { return h.Sender }
func recipient(h *held) string { return h.Recipient }

func (m *memory) AddPart(_ context.Context, from, id string, part int, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.find(id, sender, from)
	if err != nil {
		return err
	}
	if part > h.Parts {
		return fmt.Errorf("%w: part %d of %d", message.ErrInvalid, part, h.Parts)
	}
	if before, again := h.parts[part]; again {
		if !bytes.Equal(before, body) {
			return message.ErrConflict
		}
		return nil
	}
	h.parts[part] = bytes.Clone(body)
	h.Size += int64(len(body))
	if len(h.parts) == h.Parts {
		h.state = message.StateAccepted
	}
	return nil
}

func (m *memory) Inbox(_ context.Context, mailbox string, q message.InboxQuery) (message.InboxPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return message.InboxPage{}, m.fails
	}
	filter, _ := parseWorkflowFilter(q.Interaction)
	var page message.InboxPage
	for _, h := range m.held {
		if h.Recipient != mailbox || h.state != message.StateAccepted {
			continue
		}
		page.Approximate++
		if h.ID <= q.ContinueFrom || !filter.matches(h.Interaction) {
			continue
		}
		if len(page.Headers) == q.Max {
			page.Next = page.Headers[q.Max-1].ID
			continue
		}
		page.Headers = append(page.Headers, h.Header)
	}
	return page, nil
}

func (m *memory) Count(ctx context.Context, mailbox string) (int64, error) {
	page, err := m.Inbox(ctx, mailbox, message.InboxQuery{Max: 1})
	return page.Approximate, err
}

func (m *memory) Retrieve(_ context.Context, mailbox, id string, part int) (*message.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.find(id, recipient, mailbox)
	if err != nil {
		return nil, err
	}
	if h.state != message.StateAccepted {
		return nil, fmt.Errorf("%w: it was acknowledged", message.ErrGone)
	}
	if part > h.Parts {
		return nil, fmt.Errorf("%w: it has %d parts", message.ErrNotFound, h.Parts)
	}
	return &message.Message{Header: h.Header, Part: part, Body: h.parts[part]}, nil
}

func (m *memory) Acknowledge(_ context.Context, mailbox, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.find(id, recipient, mailbox)
	if err != nil {
		return err
	}
	h.state, h.at = message.StateAcknowledged, m.now()
	return nil
}

func (m *memory) Track(_ context.Context, from string, q message.TrackQuery) (message.Track, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return message.Track{}, m.fails
	}
	var found []*held
	for _, h := range m.held {
		if h.Sender == from && (h.ID == q.ID || q.LocalID != "" && h.LocalID == q.LocalID) {
			found = append(found, h)
		}
	}
	switch len(found) {
	case 0:
		return message.Track{}, message.ErrNotFound
	case 1:
		t := message.Track{Header: found[0].Header, State: found[0].state, SettledAt: found[0].at}
		if t.State == message.StateUndelivered {
			t.Reason = "Message not collected by recipient after 5 days"
		}
		return t, nil
	}
	return message.Track{}, message.ErrAmbiguous
}

func (m *memory) Call(context.Context, *message.Submission) (*message.Reply, error) {
	return nil, message.ErrUnknownInteraction
}

// undelivered does to a message what happens when nobody collects it, and puts the report into its sender's inbox.
func (m *memory) undelivered(id string) (report string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.held, func(h *held) bool { return h.ID == id })
	m.held[i].state = message.StateUndelivered
	header := m.held[i].Header
	header.ID, header.Kind = m.clock.Next(m.now()).String(), message.KindReport
	to := header.Recipient
	header.Sender, header.Recipient = "SPINE", header.Sender
	header.Report = &message.Report{LinkedID: id, To: to, Code: "14", Event: "SEND", Description: "Message not collected by recipient after 5 days"}
	header.Parts, header.Size = 1, 0
	m.held = append(m.held, &held{Header: header, parts: map[int][]byte{1: nil}, state: message.StateAccepted})
	return header.ID
}

// workflows joins what the memory holds, for failure texts.
func (m *memory) workflows() string {
	var out []string
	for _, h := range m.held {
		out = append(out, h.Interaction)
	}
	return strings.Join(out, " ")
}
