// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
)

const mailboxes = "sharedKey: shared-key-1\nmailboxes:\n  - {id: X26GP001, password: password-1}\n  - {id: NO_CERT, password: password-2}\n"

// cluster answers as kubectl does.
func cluster(t *testing.T) Kubectl {
	t.Helper()
	answers := map[string]any{
		"cert-manager spine-ca":     secret{Data: map[string][]byte{"ca.crt": []byte("CA")}},
		"spine-messaging mailboxes": secret{Data: map[string][]byte{"mailboxes.yaml": []byte(mailboxes)}},
		"spine-clients -": map[string]any{"items": []any{
			map[string]any{"metadata": map[string]any{"name": "x26gp001"}, "data": map[string][]byte{"tls.crt": []byte("CRT"), "tls.key": []byte("KEY")}},
			map[string]any{"metadata": map[string]any{"name": "of-nobody"}},
		}},
	}
	return func(_ context.Context, args ...string) ([]byte, error) {
		name := "-"
		if len(args) == 7 {
			name = args[6]
		}
		answer, ok := answers[args[3]+" "+name]
		if !ok {
			return nil, fmt.Errorf("nothing is known of %v", args)
		}
		return json.Marshal(answer)
	}
}

func TestFetch(t *testing.T) {
	c := Clients{Dir: t.TempDir()}
	if err := c.Fetch(t.Context(), cluster(t)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"ca.crt": "CA", "X26GP001.crt": "CRT", "X26GP001.key": "KEY", "mailboxes.yaml": mailboxes} {
		got, err := os.ReadFile(c.path(name))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
		if info, err := os.Stat(c.path(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v, %v", name, info.Mode(), err)
		}
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	value, err := c.Authorization("X26GP001")
	if err != nil || !strings.HasPrefix(value, "NHSMESH X26GP001:") || strings.Contains(value, "password-1") {
		t.Errorf("authorization is %q, %v", value, err)
	}
	if _, err := c.Authorization("GONE"); err == nil || !strings.Contains(err.Error(), "no mailbox GONE") {
		t.Errorf("an unknown mailbox: %v", err)
	}
}

func TestFetchBeforeCertificatesAreIssued(t *testing.T) {
	whole := cluster(t)
	kubectl := func(ctx context.Context, args ...string) ([]byte, error) {
		if args[3] == "cert-manager" {
			return []byte(`{"data":{}}`), nil
		}
		return whole(ctx, args...)
	}
	if err := (Clients{Dir: t.TempDir()}).Fetch(t.Context(), kubectl); err == nil || !strings.Contains(err.Error(), "no content for ca.crt") {
		t.Errorf("got %v", err)
	}
}

func TestTokens(t *testing.T) {
	c := Clients{Dir: t.TempDir()}
	const issuer, audience = "https://tokens.test", "ers"
	if err := c.Tokens(issuer, audience); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(c.path("jwks.json"))
	if err != nil {
		t.Fatal(err)
	}
	// The keys are in the cluster's state: another run must not change them.
	if err := c.Tokens(issuer, audience); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(c.path("jwks.json"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the keys have changed, %v", err)
	}
	verifier, err := token.NewVerifier(token.Trust{Issuer: issuer, Audience: audience, KeysFile: c.path("jwks.json")}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(c.path("staff.jwt"))
	if err != nil {
		t.Fatal(err)
	}
	tokens := strings.Fields(string(lines))
	if len(tokens) != staff {
		t.Fatalf("%d tokens", len(tokens))
	}
	who, roles, _, err := verifier.Verify(tokens[0])
	if err != nil || who.Organisation != Practice || len(roles) != 1 || roles[0] != Role {
		t.Errorf("the first is %+v's with %v, %v", who, roles, err)
	}
}

func TestRefusalsAreTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(server.Client(), r, nil); err == nil || err.Error() != "GET /x: 503 Service Unavailable: not today" {
		t.Errorf("got %v", err)
	}
}
