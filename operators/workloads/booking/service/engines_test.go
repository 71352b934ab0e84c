// SPDX-License-Identifier: Apache-2.0

//go:build engines

package service

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/booking/token"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// running is a whole service on loopback, with a message gateway that records.
type running struct {
	options Options
	bearer  string
	client  *http.Client
	gateway *recordingGateway
	logs    *lockedBuffer
	ended   chan error
	stop    context.CancelFunc
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// recordingGateway is the bulk interface: it loses its first answer after
// having taken the messages, as a broken connection would.
type recordingGateway struct {
	mu     sync.Mutex
	calls  int
	bodies map[string]string // by request id
	repeat int
}

func (g *recordingGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var batch struct {
		Messages []struct {
			RequestID   string `json:"requestId"`
			Recipient   string `json:"recipient"`
			Interaction string `json:"interaction"`
			Body        []byte `json:"body"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(r.Body).Decode(&batch); err != nil || r.URL.Path != "/v1/messages:batchSend" || len(r.TLS.PeerCertificates) == 0 ||
		r.TLS.PeerCertificates[0].Subject.CommonName != "ERS" {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	var results []map[string]string
	for _, m := range batch.Messages {
		status := "acknowledged"
		if _, known := g.bodies[m.RequestID]; known {
			status = "duplicate"
			g.repeat++
		}
		g.bodies[m.RequestID] = string(m.Body)
		results = append(results, map[string]string{"requestId": m.RequestID, "status": status})
	}
	if g.calls == 1 {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

func start(t *testing.T) *running {
	t.Helper()
	dir := t.TempDir()
	authority := engines.NewAuthority(t)
	server := engines.SecurePostgres(t, authority)
	r := &running{gateway: &recordingGateway{bodies: map[string]string{}}, logs: &lockedBuffer{}, ended: make(chan error, 1)}

	trust := token.Trust{Issuer: "https://issuer.test", Audience: "booking"}
	key, err := token.NewKey()
	must(t, err)
	issuer, err := token.NewIssuer(key, trust)
	must(t, err)
	keys, err := issuer.KeySet()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "jwks.json"), keys, 0o600))
	r.bearer, err = issuer.Mint(domain.Caller{Application: "gp", User: "021600556514", Organisation: "R69"}, []domain.Role{domain.ReferringClinician}, time.Now(), time.Hour)
	must(t, err)

	gatewayAddress := address(t)
	r.options = Options{Address: address(t), OpsAddress: address(t), Config: filepath.Join(dir, "booking.yaml"),
		DatabaseDir: filepath.Join(dir, "db"), TLSDir: filepath.Join(dir, "tls"), GatewayTLSDir: filepath.Join(dir, "gateway"),
		GatewayURL: "https://" + gatewayAddress, DrainTimeout: 10 * time.Second}
	must(t, os.WriteFile(r.options.Config, fmt.Appendf(nil, "tokens: {jwksFile: %s/jwks.json, issuer: %s, audience: %s}\n", dir, trust.Issuer, trust.Audience), 0o600))
	authority.Folder(t, r.options.TLSDir, "spine-manager")
	authority.Folder(t, r.options.GatewayTLSDir, "ERS")
	writeDatabaseDir(t, r.options.DatabaseDir, server.SecurePort, authority.PEM)

	gateway := &http.Server{Addr: gatewayAddress, Handler: r.gateway, ErrorLog: quiet,
		TLSConfig: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool, Certificates: []tls.Certificate{authority.Certificate(t, "gateway")}}}
	go func() { _ = gateway.ListenAndServeTLS("", "") }()
	t.Cleanup(func() { _ = gateway.Close() })

	r.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool,
		Certificates: []tls.Certificate{authority.Certificate(t, "spine-manager")}}}}
	seeded, err := store.Open(t.Context(), store.Options{Source: database.Dir(r.options.DatabaseDir), Connections: 2, Now: time.Now})
	must(t, err)
	must(t, seeded.Put(t.Context(), store.Seed{Services: 22, Slots: 28}))
	seeded.Close()

	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- Run(ctx, r.options, slog.New(slog.NewJSONHandler(r.logs, nil))) }()
	t.Cleanup(stop)
	r.await(t, "readiness", func() bool {
		status, _, _ := r.ask(t, http.MethodGet, "https://"+r.options.OpsAddress+"/readyz", nil, "")
		return status == http.StatusOK
	})
	return r
}

// address is one of loopback to listen on.
func address(t *testing.T) string {
	t.Helper()
	port, err := engines.FreePort()
	must(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// await asks again until true; it fails after half a minute.
func (r *running) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		select {
		case err := <-r.ended:
			t.Fatalf("no %s: it ended: %v; logs:\n%s", what, err, r.logs)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("no %s; logs:\n%s", what, r.logs)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *running) ask(t *testing.T, method, url string, headers map[string]string, body string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, response.Header, string(answer)
}

func (r *running) fhir(t *testing.T, method, path, body string) (int, http.Header, string) {
	t.Helper()
	return r.ask(t, method, "https://"+r.options.Address+"/FHIR/STU3/"+path, map[string]string{"Authorization": "Bearer " + r.bearer,
		"NHSD-End-User-Organisation-ODS": "R69", "NHSD-eRS-Business-Function": "REFERRING_CLINICIAN", "Content-Type": "application/fhir+json",
		"X-Correlation-ID": "abc"}, body)
}

func TestTheWholeService(t *testing.T) {
	r := start(t)
	status, headers, body := r.fhir(t, http.MethodPost, "ReferralRequest/$ers.createReferral", createBody)
	if status != http.StatusCreated || headers.Get("ETag") != `W/"1"` || headers.Get("X-Access-Code") == "" || headers.Get("X-Correlation-ID") != "abc" {
		t.Fatalf("%d %v %s", status, headers, body)
	}
	ubrn := strings.TrimPrefix(headers.Get("Location"), "/FHIR/STU3/ReferralRequest/")
	status, _, body = r.fhir(t, http.MethodGet, "Slot?schedule.actor:HealthcareService=11000&appointmentType=ROUTINE&status=free&_count=2&page=1", "")
	if status != http.StatusOK {
		t.Fatalf("slots: %d %s", status, body)
	}
	var slots struct {
		Entry []struct {
			Resource struct{ ID string }
		}
	}
	must(t, json.Unmarshal([]byte(body), &slots))
	status, _, body = r.fhir(t, http.MethodPost, "Appointment", fmt.Sprintf(bookBody, slots.Entry[0].Resource.ID, ubrn))
	if status != http.StatusCreated || !strings.Contains(body, `"status":"booked"`) {
		t.Fatalf("booking: %d %s", status, body)
	}
	if status, _, body = r.ask(t, http.MethodGet, "https://"+r.options.Address+"/", nil, ""); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("page: %d", status)
	}
	// Both events arrive although the first answer was lost; each once.
	r.await(t, "empty outbox", func() bool {
		_, _, body = r.ask(t, http.MethodGet, "https://"+r.options.OpsAddress+"/statusz", nil, "")
		return strings.Contains(body, `"outboxPending":0`)
	})
	if !strings.Contains(body, `"bookings":1`) || !strings.Contains(body, `"referrals":1`) {
		t.Errorf("statusz: %s", body)
	}
	r.gateway.mu.Lock()
	events := len(r.gateway.bodies)
	for _, event := range r.gateway.bodies {
		if strings.Contains(event, "9912003888") {
			t.Error("an event holds the NHS number")
		}
	}
	r.gateway.mu.Unlock()
	if events != 2 {
		t.Errorf("%d events", events)
	}
	if status, _, body = r.ask(t, http.MethodPost, "https://"+r.options.OpsAddress+"/deepz", nil, ""); status != http.StatusOK {
		t.Errorf("deepz: %d %s", status, body)
	}
	if status, _, body = r.ask(t, http.MethodGet, "https://"+r.options.OpsAddress+"/metrics", nil, ""); !strings.Contains(body, `operation="A016",status="201"`) {
		t.Errorf("metrics: %d", status)
	}
	for _, secret := range []string{"9912003888", headers.Get("X-Access-Code"), r.bearer} {
		if strings.Contains(r.logs.String(), secret) {
			t.Error("a log line holds patient data or a secret")
		}
	}
	r.stop()
	select {
	case err := <-r.ended:
		must(t, err)
	case <-time.After(15 * time.Second):
		t.Error("it did not end")
	}
}

const createBody = `{"resourceType":"Parameters","meta":{"profile":["https://fhir.nhs.uk/STU3/StructureDefinition/eRS-CreateReferral-Parameters-1"]},"parameter":[
 {"name":"patient","valueIdentifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9912003888"}},
 {"name":"intentionToAddReferralLetter","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-ReferralLetterIntention-1","code":"NEED_TO_ADD_LATER"}},
 {"name":"firstReminderLetterFollowUpDays","valueUnsignedInt":0},
 {"name":"shortlist","resource":{"resourceType":"List","status":"current","mode":"snapshot","contained":[{"resourceType":"Parameters","id":"c","parameter":[
  {"name":"priority","valueCoding":{"system":"https://fhir.nhs.uk/STU3/CodeSystem/eRS-Priority-1","code":"ROUTINE"}},
  {"name":"specialty","valueCoding":{"system":"/STU3/CodeSystem/SPECIALTY","code":"CARDIOLOGY"}},{"name":"ageAndGenderAppropriate","valueBoolean":true}]}],
  "entry":[{"item":{"identifier":{"system":"http://fhir.nhs.net/Id/ers-service","value":"11000"}}}]}}]}`

const bookBody = `{"resourceType":"Appointment","status":"booked","description":"e-Referral Appointment","slot":[{"reference":"Slot/%s"}],
 "incomingReferral":[{"reference":"ReferralRequest/%s/_history/1"}],"participant":[
 {"actor":{"identifier":{"system":"http://fhir.nhs.net/Id/ers-service","value":"11000"}},"status":"accepted"},
 {"actor":{"identifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9912003888"}},"status":"accepted"}]}`

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
