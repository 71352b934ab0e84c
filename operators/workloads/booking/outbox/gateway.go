// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// Gateway sends events over the message gateway's bulk interface.
type Gateway struct {
	// HTTP has the client certificate whose mailbox is the sender.
	HTTP *http.Client
	// URL of the gateway, without a path.
	URL string
	// Address says where events go; it may change.
	Address func() Address
}

// Address is where events go.
type Address struct {
	To       string // mailbox
	Workflow string // interaction
}

// bulkMessage and bulkResult are the gateway's JSON forms.
type (
	bulkMessage struct {
		RequestID   string `json:"requestId"`
		Recipient   string `json:"recipient"`
		Interaction string `json:"interaction"`
		ContentType string `json:"contentType"`
		Body        []byte `json:"body"`
	}
	bulkResult struct {
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
	}
)

// maxAnswer bounds the gateway's answer, in bytes: 500 results of 1 KiB.
const maxAnswer = 512 << 10

// Send implements Sender.
func (g *Gateway) Send(ctx context.Context, entries []store.Entry) ([]Verdict, error) {
	address := g.Address()
	messages := make([]bulkMessage, len(entries))
	for i, e := range entries {
		messages[i] = bulkMessage{RequestID: e.Request, Recipient: address.To, Interaction: address.Workflow, ContentType: "application/json", Body: e.Body}
	}
	body, err := json.Marshal(map[string]any{"messages": messages})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(g.URL, "/")+"/v1/messages:batchSend", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := g.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("message gateway: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("message gateway: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("message gateway answered %d", response.StatusCode)
	}
	return ParseResults(answer, entries)
}

// ParseResults reads the gateway's answer to a batch. Whatever does not fit to
// the entries, in number and order, is an error: none of it is believed.
func ParseResults(answer []byte, entries []store.Entry) ([]Verdict, error) {
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("message gateway: the answer is larger than %d bytes", maxAnswer)
	}
	var results struct {
		Results []bulkResult `json:"results"`
	}
	if err := json.Unmarshal(answer, &results); err != nil {
		return nil, fmt.Errorf("message gateway: the answer is not the expected JSON")
	}
	if len(results.Results) != len(entries) {
		return nil, fmt.Errorf("message gateway: %d results for %d messages", len(results.Results), len(entries))
	}
	verdicts := make([]Verdict, len(entries))
	for i, r := range results.Results {
		if r.RequestID != entries[i].Request {
			return nil, fmt.Errorf("message gateway: result %d is not that of message %d", i, i)
		}
		switch r.Status {
		case "acknowledged", "duplicate":
			verdicts[i] = Acknowledged
		case "refused", "conflict":
			verdicts[i] = Refused
		}
	}
	return verdicts, nil
}
