// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
)

// Mailboxes of the local catalogue, and an interaction between them.
const (
	Sender      = "X26GP001"
	Receiver    = "Y90GP002"
	interaction = "RCMR_IN010000UK05"
)

// arrival is how long a message may take to its receiver's inbox.
const arrival = 30 * time.Second

// Authorization is the value of that header for one request of a mailbox.
func (c Clients) Authorization(mailbox string) (string, error) {
	text, err := os.ReadFile(c.path("mailboxes.yaml"))
	if err != nil {
		return "", err
	}
	all, err := c.parse(text)
	if err != nil {
		return "", err
	}
	for _, m := range all.Mailboxes {
		if m.ID == mailbox {
			return auth.Token(mailbox, m.Password, all.SharedKey, rand.Text(), 1, time.Now()), nil
		}
	}
	return "", fmt.Errorf("mailboxes.yaml has no mailbox %s", mailbox)
}

// Message sends a message by the MESH API at that URL, collects it as its
// receiver would, and acknowledges it. It returns the message's ID.
func (c Clients) Message(ctx context.Context, mesh string) (string, error) {
	// Any text: Spine does not look into messages.
	body := []byte("The first message of this site, " + time.Now().UTC().Format(time.RFC3339) + "\n")
	var sent struct {
		ID string `json:"message_id"`
	}
	if _, err := c.mesh(ctx, Sender, http.MethodPost, mesh+"/messageexchange/"+Sender+"/outbox", body, &sent); err != nil {
		return "", fmt.Errorf("send: %w", err)
	}
	inbox := mesh + "/messageexchange/" + Receiver + "/inbox"
	ctx, cancel := context.WithTimeout(ctx, arrival)
	defer cancel()
	for {
		var listed struct {
			Messages []string `json:"messages"`
		}
		if _, err := c.mesh(ctx, Receiver, http.MethodGet, inbox, nil, &listed); err != nil {
			return "", fmt.Errorf("list the inbox: %w", err)
		}
		found := false
		for _, id := range listed.Messages {
			found = found || id == sent.ID
		}
		if found {
			break
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("message %s is not in the inbox of %s after %s", sent.ID, Receiver, arrival)
		case <-time.After(time.Second / 2):
		}
	}
	got, err := c.mesh(ctx, Receiver, http.MethodGet, inbox+"/"+sent.ID, nil, nil)
	if err != nil {
		return "", fmt.Errorf("collect: %w", err)
	}
	if !bytes.Equal(got, body) {
		return "", fmt.Errorf("message %s is not what was sent: %d bytes instead of %d", sent.ID, len(got), len(body))
	}
	if _, err := c.mesh(ctx, Receiver, http.MethodPut, inbox+"/"+sent.ID+"/status/acknowledged", nil, nil); err != nil {
		return "", fmt.Errorf("acknowledge: %w", err)
	}
	return sent.ID, nil
}

// mesh makes one request of a mailbox and decodes its answer, when into is set.
func (c Clients) mesh(ctx context.Context, mailbox, method, url string, body []byte, into any) ([]byte, error) {
	client, err := c.client(mailbox)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	authorization, err := c.Authorization(mailbox)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Accept", "application/vnd.mesh.v2+json")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("Mex-From", Sender)
		r.Header.Set("Mex-To", Receiver)
		r.Header.Set("Mex-WorkflowID", interaction)
		r.Header.Set("Mex-LocalID", rand.Text())
	}
	return do(client, r, into)
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// most is how much of an answer is read.
const most = 4 << 20

// do sends a request; an answer that is no success is an error with its text.
func do(client *http.Client, r *http.Request, into any) ([]byte, error) {
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, &refusal{answer.StatusCode, fmt.Sprintf("%s %s: %s: %s", r.Method, r.URL.Path, answer.Status, bytes.TrimSpace(body))}
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			return nil, fmt.Errorf("%s %s: its answer is not the JSON expected: %w", r.Method, r.URL.Path, err)
		}
	}
	return body, nil
}
