// SPDX-License-Identifier: Apache-2.0

package bulk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// memory is a service that answers by the request id.
type memory struct {
	message.Bulk
	got      []*message.Submission
	given    []message.Delivery
	returned int
	failure  error
}

func (m *memory) SubmitBatch(_ context.Context, batch []*message.Submission) []message.Result {
	results := make([]message.Result, len(batch))
	for i, s := range batch {
		twin := *s
		twin.Body = bytes.Clone(s.Body)
		m.got = append(m.got, &twin)
		results[i].ID = "ID-" + s.RequestID
		switch s.RequestID {
		case "duplicate":
			results[i].Duplicate = true
		case "conflict":
			results[i].Err = fmt.Errorf("%w: other", message.ErrConflict)
		case "refused":
			results[i].Err = fmt.Errorf("%w: no mailbox", message.ErrUnknownRecipient)
		case "retry":
			results[i].Err = fmt.Errorf("%w: password=hunter2", message.ErrUnavailable)
		case "full":
			results[i].Err = &message.OverloadedError{RetryAfter: 1500 * time.Millisecond}
		}
	}
	return results
}

func (m *memory) Receive(context.Context, string, int, time.Duration) ([]message.Delivery, error) {
	return m.given, m.failure
}

func (m *memory) Settle(_ context.Context, _ string, leases []string) []error {
	errs := make([]error, len(leases))
	for i, l := range leases {
		if l == "x" {
			errs[i] = message.ErrNotFound
		}
	}
	return errs
}

func (m *memory) Reject(ctx context.Context, mailbox string, leases []string, _ string, _ bool) []error {
	return m.Settle(ctx, mailbox, leases)
}

func (m *memory) Call(context.Context, *message.Submission) (*message.Reply, error) {
	return &message.Reply{Status: 200, ContentType: "text/plain", Body: []byte("hi")}, m.failure
}

func (m *memory) Return(string, []message.Delivery) { m.returned++ }

type directory struct{ message.Directory }

func (directory) Named(names []string) []message.Party {
	switch names[0] {
	case "inside":
		return []message.Party{{Mailbox: "INT1", Internal: true}}
	case "outside":
		return []message.Party{{Mailbox: "EXT1"}}
	}
	return nil
}

func ask(h http.Handler, name, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if contentType == frame.ContentType {
		r.Header.Set("Accept", frame.ContentType)
	}
	if name != "" {
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: name}}}}}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBatchSendInBothForms(t *testing.T) {
	m := &memory{}
	h := New(m, Config{Directory: directory{}})
	requests := []string{"fine", "duplicate", "conflict", "refused", "retry"}
	want := []string{"acknowledged", "duplicate", "conflict", "refused", "retry"}
	var asJSON []string
	var frames []byte
	for _, r := range requests {
		asJSON = append(asJSON, fmt.Sprintf(`{"requestId":%q,"recipient":"EXT1","interaction":"PSIS","body":"Ym9keQ=="}`, r))
		frames = (&frame.Record{RequestID: r, Recipient: "EXT1", Interaction: "PSIS", Body: []byte("body")}).Append(frames)
	}
	w := ask(h, "inside", "/v1/messages:batchSend", "application/json", `{"messages":[`+strings.Join(asJSON, ",")+`]}`)
	var answer struct{ Results []sendResult }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for i, r := range answer.Results {
		if r.Status != want[i] || r.RequestID != requests[i] || (r.Error == nil) != (i < 2) {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("the inside of a fault got out")
	}
	w = ask(h, "inside", "/v1/messages:batchSend", frame.ContentType, string(frames))
	reader := frame.NewReader(w.Body.Bytes())
	for i := range requests {
		var rec frame.Record
		if err := reader.Next(&rec); err != nil || rec.Status != want[i] || rec.RequestID != requests[i] || (rec.Code == "") != (i < 2) {
			t.Errorf("record %d: %+v, %v", i, rec, err)
		}
	}
	if len(m.got) != 10 {
		t.Fatalf("%d submissions", len(m.got))
	}
	for _, s := range m.got {
		if s.Sender != "INT1" || string(s.Body) != "body" || s.Recipient != "EXT1" {
			t.Errorf("submission %+v", s)
		}
	}
}

func TestStatuses(t *testing.T) {
	long := strings.Repeat(`{"recipient":"A","interaction":"B","body":""},`, 501)
	for name, c := range map[string]struct {
		caller, path, body string
		failure            error
		want               int
		code, retryAfter   string
	}{
		"no certificate":    {"", "/v1/messages:batchSend", `{}`, nil, 401, "noCertificate", ""},
		"unknown":           {"nobody", "/v1/messages:batchSend", `{}`, nil, 403, "notInternal", ""},
		"not internal":      {"outside", "/v1/messages:batchSend", `{}`, nil, 403, "notInternal", ""},
		"another's mailbox": {"inside", "/v1/mailboxes/EXT1/messages:receive", `{"max":1}`, nil, 403, "notYourMailbox", ""},
		"nothing to send":   {"inside", "/v1/messages:batchSend", `{"messages":[]}`, nil, 400, "invalid", ""},
		"too many":          {"inside", "/v1/messages:batchSend", `{"messages":[` + strings.TrimSuffix(long, ",") + `]}`, nil, 400, "invalid", ""},
		"not JSON":          {"inside", "/v1/messages:batchSend", `{"messages":`, nil, 400, "invalid", ""},
		"unknown field":     {"inside", "/v1/messages:batchSend", `{"massages":[]}`, nil, 400, "invalid", ""},
		"two documents":     {"inside", "/v1/messages:batchSend", `{"messages":[]} {}`, nil, 400, "invalid", ""},
		"not base64":        {"inside", "/v1/messages:batchSend", `{"messages":[{"recipient":"A","interaction":"B","body":"%"}]}`, nil, 400, "invalid", ""},
		"max too large":     {"inside", "/v1/mailboxes/INT1/messages:receive", `{"max":501}`, nil, 400, "invalid", ""},
		"wait too long":     {"inside", "/v1/mailboxes/INT1/messages:receive", `{"max":1,"waitSeconds":61}`, nil, 400, "invalid", ""},
		"no leases":         {"inside", "/v1/mailboxes/INT1/messages:settle", `{"leases":[]}`, nil, 400, "invalid", ""},
		"full":              {"inside", "/v1/messages:batchSend", `{"messages":[{"requestId":"full","recipient":"A","interaction":"B","body":""}]}`, nil, 503, "overloaded", "2"},
		"stopped":           {"inside", "/v1/mailboxes/INT1/messages:receive", `{"max":1}`, &message.StoppedError{Supplier: "s"}, 503, "supplierStopped", "60"},
		"throttled":         {"inside", "/v1/messages:call", `{"recipient":"A","interaction":"B","body":""}`, &message.OverloadedError{RetryAfter: 1, Throttled: true}, 429, "throttled", "1"},
		"late":              {"inside", "/v1/messages:call", `{"recipient":"A","interaction":"B","body":""}`, message.ErrTimeout, 504, "timeout", ""},
		"oversized":         {"inside", "/v1/mailboxes/INT1/messages:receive", strings.Repeat(" ", 70_000), nil, 413, "tooLarge", ""},
		"no such path":      {"inside", "/v2", `{}`, nil, 404, "notFound", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(New(&memory{failure: c.failure}, Config{Directory: directory{}}), c.caller, c.path, "application/json", c.body)
			var f failure
			if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != c.want || f.Error.Code != c.code || f.Error.Message == "" ||
				w.Header().Get("Retry-After") != c.retryAfter {
				t.Errorf("%d %s (Retry-After %q)", w.Code, w.Body, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestBudgetRefusesRatherThanGrow(t *testing.T) {
	h := New(&memory{}, Config{Directory: directory{}, BudgetBytes: 10})
	w := ask(h, "inside", "/v1/messages:batchSend", "application/json", `{"messages":[{"recipient":"A","interaction":"B","body":""}]}`)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestReceiveAndSettle(t *testing.T) {
	d := message.Delivery{Message: message.Message{Header: message.Header{ID: "1", Recipient: "INT1", RequestID: "r"}, Body: []byte("b")}, Lease: "1.1", Attempt: 1}
	m := &memory{given: []message.Delivery{d}}
	h := New(m, Config{Directory: directory{}})
	w := ask(h, "inside", "/v1/mailboxes/INT1/messages:receive", "application/json", `{"max":10,"waitSeconds":0.5}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"lease":"1.1"`) || !strings.Contains(w.Body.String(), `"body":"Yg=="`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for verb, done := range map[string]string{"settle": "settled", "reject": "rejected"} {
		w := ask(h, "inside", "/v1/mailboxes/INT1/messages:"+verb, "application/json", `{"leases":["1.1","x"]}`)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `[{"status":"`+done+`"},{"status":"unknown"`) {
			t.Errorf("%s: %d %s", verb, w.Code, w.Body)
		}
	}
	// The receiver is gone: its messages are for the next one.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/mailboxes/INT1/messages:receive", strings.NewReader(`{"max":1}`))
	r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "inside"}}}}}
	h.ServeHTTP(httptest.NewRecorder(), r)
	if m.returned != 1 {
		t.Errorf("returned %d times", m.returned)
	}
}

func TestDocumentMatchesTheRoutes(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := yaml.Unmarshal(openapi, &document); err != nil {
		t.Fatal(err)
	}
	var documented []string
	for path, operations := range document.Paths {
		for method := range operations {
			if method != "parameters" {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	served := []string{"GET /openapi.yaml"}
	for _, op := range operations {
		served = append(served, op.pattern)
	}
	slices.Sort(documented)
	slices.Sort(served)
	if !slices.Equal(documented, served) {
		t.Errorf("documented %v\nserved %v", documented, served)
	}
	r := httptest.NewRequest(http.MethodGet, "/openapi.yaml", nil)
	w := httptest.NewRecorder()
	New(&memory{}, Config{Directory: directory{}}).ServeHTTP(w, r)
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), openapi) {
		t.Errorf("%d", w.Code)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"messages":[{"recipient":"A","interaction":"B","body":"Yg=="}]}`), false)
	f.Add((&frame.Record{Recipient: "A", Body: []byte("b")}).Append(nil), true)
	h := New(&memory{}, Config{Directory: directory{}})
	f.Fuzz(func(t *testing.T, body []byte, framed bool) {
		kind := "application/json"
		if framed {
			kind = frame.ContentType
		}
		if w := ask(h, "inside", "/v1/messages:batchSend", kind, string(body)); w.Code >= 500 && w.Code != 503 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
