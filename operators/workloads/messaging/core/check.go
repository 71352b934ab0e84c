// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// maxMetadata bounds the further headers of a message.
const maxMetadata = 64

// check says whether a submission may be accepted, and by which route it goes.
func (g *Gateway) check(s *message.Submission) (*routes.Route, message.Party, error) {
	to, ok := g.config.Directory.Party(s.Recipient)
	if !ok {
		return nil, to, fmt.Errorf("%w: no mailbox %q; look it up by the endpoint lookup", message.ErrUnknownRecipient, message.Clip(s.Recipient))
	}
	route, ok := g.routes.Lookup(s.Interaction)
	if !ok {
		return nil, to, fmt.Errorf("%w: no route for %q; see the catalogue of interactions", message.ErrUnknownInteraction, message.Clip(s.Interaction))
	}
	from, ok := g.config.Directory.Party(s.Sender)
	if !ok || !takesPart(from, s.Interaction) {
		return nil, to, fmt.Errorf("%w: mailbox %q is not registered for %q", message.ErrNotPermitted, message.Clip(s.Sender), s.Interaction)
	}
	if !takesPart(to, s.Interaction) {
		return nil, to, fmt.Errorf("%w: recipient %q is not registered for %q", message.ErrNotPermitted, s.Recipient, s.Interaction)
	}
	if err := fields(s); err != nil {
		return nil, to, err
	}
	if limit := g.limits().MaxRequestBytes; int64(len(s.Body)) > limit {
		return nil, to, fmt.Errorf("%w: the body has %d bytes, at most %d go in one request; send it in parts", message.ErrTooLarge, len(s.Body), limit)
	}
	if route.Stopped {
		return nil, to, &message.StoppedError{Supplier: route.Supplier}
	}
	// An inbox may belong to another supplier than the route's: its kill switch counts too.
	if slices.Contains(g.routes.Stopped(), to.Supplier) {
		return nil, to, &message.StoppedError{Supplier: to.Supplier}
	}
	return route, to, nil
}

func (g *Gateway) limits() api.Limits {
	if c := g.routes.Config(); c != nil {
		return c.Limits
	}
	return api.Limits{MaxRequestBytes: message.MaxRequestBytes, MaxMessageBytes: 20 * message.MaxRequestBytes}
}

func takesPart(p message.Party, interaction string) bool {
	return len(p.Workflows) == 0 || slices.Contains(p.Workflows, interaction)
}

// fields checks what the ledger stores as text: one bad message must not spoil the batch that it travels in.
func fields(s *message.Submission) error {
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"requestId", s.RequestID, 300}, {"localId", s.LocalID, 300}, {"subject", s.Subject, 1000}, {"fileName", s.FileName, 1000},
		{"contentType", s.ContentType, 300}, {"contentEncoding", s.ContentEncoding, 100},
	} {
		if err := text(f.name, f.value, f.most); err != nil {
			return err
		}
	}
	if len(s.Metadata) > maxMetadata {
		return fmt.Errorf("%w: metadata: %d entries, at most %d", message.ErrInvalid, len(s.Metadata), maxMetadata)
	}
	for key, value := range s.Metadata {
		if err := text("metadata key", key, 100); err != nil {
			return err
		}
		if err := text("metadata "+message.Clip(key), value, 1000); err != nil {
			return err
		}
	}
	return nil
}

func text(name, value string, most int) error {
	if len(value) > most {
		return fmt.Errorf("%w: %s: %d bytes, at most %d", message.ErrInvalid, name, len(value), most)
	}
	if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return fmt.Errorf("%w: %s: expected UTF-8 text without NUL", message.ErrInvalid, name)
	}
	return nil
}
