// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/load/fleet"
)

// eventsMailbox gets an event for each booking, as a system beside e-RS would.
const eventsMailbox = "ERSEVENTS"

// internalSystem speaks the bulk interface as the owner of a mailbox.
type internalSystem struct {
	mailbox, url string
	client       *http.Client
}

// received is a message that was handed over, until it is settled or rejected.
type received struct {
	ID    string `json:"id"`
	Lease string `json:"lease"`
}

func newInternalSystem(mailbox string) *internalSystem {
	GinkgoHelper()
	at := served()
	clients := filepath.Join(rack.Home, "clients")
	pair, err := tls.LoadX509KeyPair(filepath.Join(clients, mailbox+".crt"), filepath.Join(clients, mailbox+".key"))
	Expect(err).NotTo(HaveOccurred())
	roots, err := fleet.Roots(filepath.Join(clients, "ca.crt"))
	Expect(err).NotTo(HaveOccurred())
	return &internalSystem{mailbox: mailbox, url: "https://" + at.messages + ":8444/v1", client: fleet.Client(
		&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}, 8, 20*time.Second, fleet.Names(at.nameServer))}
}

func (s *internalSystem) post(ctx context.Context, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// receive waits for messages for some seconds, and takes at most 500.
func (s *internalSystem) receive(ctx context.Context) ([]received, error) {
	var got struct {
		Messages []received `json:"messages"`
	}
	err := s.post(ctx, "/mailboxes/"+s.mailbox+"/messages:receive", map[string]any{"max": 500, "waitSeconds": 5}, &got)
	return got.Messages, err
}

func (s *internalSystem) settle(ctx context.Context, messages []received) error {
	return s.end(ctx, "settle", map[string]any{"leases": leasesOf(messages)})
}

// bury rejects messages for good: they become dead letters.
func (s *internalSystem) bury(ctx context.Context, messages []received, reason string) error {
	return s.end(ctx, "reject", map[string]any{"leases": leasesOf(messages), "reason": reason, "final": true})
}

func (s *internalSystem) end(ctx context.Context, verb string, body any) error {
	return s.post(ctx, "/mailboxes/"+s.mailbox+"/messages:"+verb, body, &struct{}{})
}

func leasesOf(messages []received) []string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Lease)
	}
	return out
}

// collect takes what comes, gives it to each, and settles it, until its context ends. The site may be broken on
// purpose meanwhile: it is asked again.
func (s *internalSystem) collect(ctx context.Context, each func(received)) {
	for ctx.Err() == nil {
		got, err := s.receive(ctx)
		if err == nil && len(got) > 0 {
			err = s.settle(ctx, got)
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		for _, m := range got {
			each(m)
		}
	}
}

// collectEvents takes what comes to eventsMailbox: uncollected, it would be a backlog.
func collectEvents(ctx context.Context) {
	GinkgoHelper()
	newInternalSystem(eventsMailbox).collect(ctx, func(received) {})
}
