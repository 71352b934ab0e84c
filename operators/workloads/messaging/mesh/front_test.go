// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mailboxes"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const sharedKey = "shared-key-of-all"

const directory = `sharedKey: ` + sharedKey + `
mailboxes:
  - {id: ALICE, name: Alice's practice, password: alice-password, organisation: X26, supplier: acme,
     certificateNames: [alice.x26.api.mesh-client.nhs.uk], workflows: ["*"]}
  - {id: BOB, name: Bob's clinic, password: bob-password, organisation: X27, supplier: bobsoft,
     certificateNames: [bob.x27.api.mesh-client.nhs.uk], workflows: [API-DOCS-TEST, API-DOCS-TEST_ACK, ONCE, UNROUTED]}
`

var passwords = map[string]string{"ALICE": "alice-password", "BOB": "bob-password"}

// front is the handler over a memory, with a clock that the test sets.
type front struct {
	t       testing.TB
	handler http.Handler
	memory  *memory
	now     time.Time
	log     bytes.Buffer
	// seen are the operations and statuses that were observed.
	seen  []string
	count uint64
}

func newFront(t testing.TB, change ...func(*Config)) *front {
	t.Helper()
	d, err := mailboxes.Parse([]byte(directory))
	if err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, now: time.Date(2020, 6, 1, 12, 21, 52, 0, time.UTC)}
	now := func() time.Time { return f.now }
	store := mailboxes.Fixed(d)
	f.memory = &memory{directory: store, now: now, clock: message.NewClock(1)}
	config := Config{Mailboxes: store, Now: now, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
		Observe: func(operation string, status int, _ time.Duration) {
			f.seen = append(f.seen, operation+" "+http.StatusText(status))
		}}
	for _, c := range change {
		c(&config)
	}
	f.handler = New(f.memory, config)
	return f
}

// answer is what came back.
type answer struct {
	t testing.TB
	*httptest.ResponseRecorder
}

// option changes a request before it is sent.
type option func(*http.Request)

func with(name, value string) option {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} }
}

func without(name string) option { return func(r *http.Request) { r.Header.Del(name) } }

func v1(r *http.Request) { r.Header.Set("Accept", "application/json") }

func body(text string) option {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

// certificateOf presents a verified certificate with this common name.
func certificateOf(name string) option {
	return func(r *http.Request) {
		cert := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert}}}
	}
}

// as is a caller with the right certificate and token.
func (f *front) as(mailbox string) option {
	return func(r *http.Request) {
		certificateOf(strings.ToLower(mailbox) + map[string]string{"ALICE": ".x26", "BOB": ".x27"}[mailbox] + ".api.mesh-client.nhs.uk")(r)
		f.count++
		r.Header.Set("Authorization", auth.Token(mailbox, passwords[mailbox], sharedKey, "0b5f8f1c", f.count, f.now))
	}
}

// do sends a request of the second version.
func (f *front) do(method, path string, options ...option) answer {
	f.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept", mediaV2)
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return answer{f.t, w}
}

// post sends a message from Alice to Bob.
func (f *front) post(options ...option) answer {
	f.t.Helper()
	return f.do("POST", "/messageexchange/ALICE/outbox", append([]option{f.as("ALICE"),
		with("Mex-To", "BOB"), with("Mex-WorkflowID", "API-DOCS-TEST"), body("Hello Bob")}, options...)...)
}

// sent sends one and returns its ID.
func (f *front) sent(options ...option) string {
	f.t.Helper()
	return f.post(options...).want(http.StatusAccepted).field("message_id")
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	return a
}

// holds says that the body has a text.
func (a answer) holds(text string) answer {
	a.t.Helper()
	if !strings.Contains(a.Body.String(), text) {
		a.t.Errorf("the body lacks %q: %s", text, a.Body)
	}
	return a
}

func (a answer) is(text string) answer {
	a.t.Helper()
	if a.Body.String() != text {
		a.t.Errorf("body %s, want %s", a.Body, text)
	}
	return a
}

// headers checks response headers, given as name, value, name, value.
func (a answer) headers(pairs ...string) answer {
	a.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.Join(a.Header()[pairs[i]], ","); got != pairs[i+1] {
			a.t.Errorf("header %s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
	return a
}

func (a answer) object() (out map[string]any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.Body)
	}
	return out
}

func (a answer) field(name string) string {
	a.t.Helper()
	s, ok := a.object()[name].(string)
	if !ok {
		a.t.Fatalf("no %s in %s", name, a.Body)
	}
	return s
}
