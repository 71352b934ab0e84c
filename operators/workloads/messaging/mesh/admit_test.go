// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
)

func TestAdmit(t *testing.T) {
	token := func(mailbox, password, key string, move time.Duration) option {
		return func(r *http.Request) {
			at := time.Date(2020, 6, 1, 12, 21, 52, 0, time.UTC).Add(move)
			r.Header.Set("Authorization", auth.Token(mailbox, password, key, "n", 1, at))
		}
	}
	for name, tc := range map[string]struct {
		path    string
		options []option
		text    string
	}{
		"no certificate": {"/messageexchange/BOB/inbox", []option{func(r *http.Request) { r.TLS = nil }}, "a client certificate is needed"},
		"an unverified certificate": {"/messageexchange/BOB/inbox", []option{func(r *http.Request) {
			r.TLS.PeerCertificates, r.TLS.VerifiedChains = r.TLS.VerifiedChains[0], nil
		}}, "a client certificate is needed"},
		"a certificate of nobody": {"/messageexchange/BOB/inbox", []option{certificateOf("eve.nhs.uk")}, "not registered for this mailbox"},
		"another's certificate":   {"/messageexchange/BOB/inbox", []option{certificateOf("alice.x26.api.mesh-client.nhs.uk")}, "not registered for this mailbox"},
		"no token":                {"/messageexchange/BOB/inbox", []option{without("Authorization")}, "header is missing"},
		"a basic token":           {"/messageexchange/BOB/inbox", []option{with("Authorization", "Basic eDp5")}, "header is malformed"},
		"another mailbox":         {"/messageexchange/ALICE/inbox", nil, "Mailbox id does not match token"},
		"an unknown mailbox":      {"/messageexchange/EVE/inbox", []option{token("EVE", "eve", sharedKey, 0)}, "No mailbox matched"},
		"a wrong password":        {"/messageexchange/BOB/inbox", []option{token("BOB", "guessed-password", sharedKey, 0)}, "the hash in the Authorization header is wrong"},
		"a wrong shared key":      {"/messageexchange/BOB/inbox", []option{token("BOB", "bob-password", "guessed-key", 0)}, "the hash in the Authorization header is wrong"},
		"yesterday's token":       {"/messageexchange/BOB/inbox", []option{token("BOB", "bob-password", sharedKey, -24*time.Hour)}, "more than 2 hours"},
		"tomorrow's token":        {"/messageexchange/BOB/inbox", []option{token("BOB", "bob-password", sharedKey, 24*time.Hour)}, "more than 2 hours"},
		"lookup by a stranger":    {"/messageexchange/endpointlookup/X27/API-DOCS-TEST", []option{certificateOf("eve.nhs.uk")}, "not registered for any mailbox"},
		"ping without one":        {"/messageexchange/_ping", []option{func(r *http.Request) { r.TLS = nil }}, "a client certificate is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			f.do("GET", tc.path, append([]option{f.as("BOB")}, tc.options...)...).want(http.StatusForbidden).holds(tc.text)
			log := f.log.String()
			if !strings.Contains(log, "a request was refused") {
				t.Errorf("the refusal is not in the log: %s", log)
			}
			for _, secret := range []string{"password", sharedKey, "guessed", "NHSMESH BOB", ":n:1:"} {
				if strings.Contains(strings.ReplaceAll(log, "check the password", ""), secret) {
					t.Errorf("the log shows %q: %s", secret, log)
				}
			}
		})
	}
}

func TestTokenIsGoodOnce(t *testing.T) {
	f := newFront(t)
	f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB")).want(http.StatusOK)
	f.count--
	f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB")).want(http.StatusForbidden).holds("was used before")
	f.do("GET", "/messageexchange/bob/inbox/", f.as("BOB")).want(http.StatusOK)
	if want := []string{"inbox OK", "inbox Forbidden", "inbox OK"}; !slices.Equal(f.seen, want) {
		t.Errorf("observed %v, want %v", f.seen, want)
	}
}

func TestHandshake(t *testing.T) {
	f := newFront(t)
	client := []option{with("mex-clientversion", "ApiDocs==0.0.1"), with("mex-osname", "Linux"), with("mex-osversion", "#44~18.04.2-Ubuntu")}
	for _, method := range []string{"POST", "GET"} {
		f.do(method, "/messageexchange/BOB", append(client, f.as("BOB"))...).want(http.StatusOK).is("")
		f.do(method, "/messageexchange/BOB", append(client, f.as("BOB"), v1)...).want(http.StatusOK).is(`{"mailboxId":"BOB"}`)
		f.do(method, "/messageexchange/BOB", f.as("BOB"), client[0]).want(http.StatusBadRequest).
			holds(`["header","mex-osname"]`).holds(`["header","mex-osversion"]`)
	}
	f.do("GET", "/messageexchange/_ping", f.as("BOB")).want(http.StatusOK).holds(`{"internalID":"20200601`)
}

func TestLookup(t *testing.T) {
	f := newFront(t)
	asBob := certificateOf("bob.x27.api.mesh-client.nhs.uk")
	found := `{"results":[{"mailbox_id":"BOB","mailbox_name":"Bob's clinic"}]}`
	for _, path := range []string{
		"/messageexchange/endpointlookup/X27/API-DOCS-TEST", "/messageexchange/endpointlookup/mesh/x27/API-DOCS-TEST",
		"/endpointlookup/X27/API-DOCS-TEST", "/endpointlookup/mesh/X27/API-DOCS-TEST",
	} {
		f.do("GET", path, asBob).want(http.StatusOK).is(found)
		f.do("GET", path, asBob, v1).want(http.StatusOK).holds(`"query_id":"20200601`).
			holds(`"results":[{"address":"BOB","description":"Bob's clinic","endpoint_type":"MESH"}]`)
	}
	f.do("GET", "/messageexchange/endpointlookup/X99/API-DOCS-TEST", asBob).want(http.StatusOK).is(`{"results":[]}`)
	f.do("GET", "/messageexchange/workflowsearch/API-DOCS-TEST", asBob, v1).want(http.StatusOK).holds(`"ALICE"`).holds(`"BOB"`)
	f.do("GET", "/messageexchange/endpointlookup/%20/API-DOCS-TEST", asBob).want(http.StatusBadRequest)
	f.do("GET", "/messageexchange/workflowsearch/%20", asBob).want(http.StatusBadRequest)
}

func TestPaths(t *testing.T) {
	f := newFront(t)
	for _, path := range []string{"/", "/messageexchange", "/messageexchange//inbox", "/messageexchange/BOB/nowhere", "/a/b/c/d/e/f/g/h/i"} {
		f.do("GET", path, f.as("BOB")).want(http.StatusNotFound).holds("/messageexchange/{mailbox}")
	}
	f.do("DELETE", "/messageexchange/BOB/inbox/1", f.as("BOB")).want(http.StatusMethodNotAllowed).headers("Allow", "GET, HEAD")
	f.do("GET", "/messageexchange/BOB/inbox/%00", f.as("BOB")).want(http.StatusBadRequest)
	for accept, status := range map[string]int{
		"*/*": 200, "application/json": 200, "application/vnd.mesh.v1+json": 200, "application/json, application/vnd.mesh.v2+json;q=1": 200,
		"application/vnd.mesh.v3+json": 400, "application/vnd.mesh.v2": 400, "application/vnd.mesh.v02+json": 200,
	} {
		f.do("GET", "/messageexchange/BOB/inbox", f.as("BOB"), with("Accept", accept)).want(status)
	}
}

func TestBudget(t *testing.T) {
	f := newFront(t, func(c *Config) { c.BodyBudgetBytes = 200_000 })
	unknownLength := func(r *http.Request) { r.ContentLength = -1 }
	big := strings.Repeat("x", 120_000)
	f.sent(body(big))
	f.sent(body(big), unknownLength)
	f.post(body(big+big)).want(http.StatusServiceUnavailable).headers("Retry-After", "1")
	f.post(body(big+big), unknownLength).want(http.StatusServiceUnavailable).headers("Retry-After", "1")
	f.post(body("short"), func(r *http.Request) { r.ContentLength = 150_000 }).want(http.StatusBadRequest)
	if used := f.handler.(*Handler).bodies.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget were not given back", used)
	}
	if got := len(f.memory.held[1].parts[1]); got != len(big) {
		t.Errorf("a body of unknown length came as %d bytes of %d", got, len(big))
	}
	g := newFront(t, func(c *Config) { c.MaxRequestBytes = 100_000 })
	g.post(body(big), unknownLength).want(http.StatusRequestEntityTooLarge)
	g.sent(body(big[:100_000]), unknownLength)
}

func TestRefuse(t *testing.T) {
	for accept, want := range map[string]string{mediaV2: `"detail":[{"event":"","code":"","msg":"renew it"}]`, "": `"errorDescription":"renew it"`} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Accept", accept)
		Refuse(w, r, "renew it")
		answer{t, w}.want(http.StatusForbidden).holds(want)
	}
}
