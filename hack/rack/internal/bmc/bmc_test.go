// SPDX-License-Identifier: Apache-2.0

package bmc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stmcginnis/gofish"
	"github.com/stmcginnis/gofish/redfish"
)

// fakePower remembers what it was asked for.
type fakePower struct {
	mu     sync.Mutex
	state  PowerState
	resets []ResetType
	err    error
}

func (p *fakePower) State() PowerState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *fakePower) Reset(_ context.Context, kind ResetType) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resets = append(p.resets, kind)
	switch kind {
	case On, ForceRestart, PowerCycle:
		p.state = PowerOn
	case ForceOff:
		p.state = PowerOff
	}
	return p.err
}

var account = Account{User: "admin", Password: "secret"}

type clock struct{ now time.Time }

func start(t *testing.T) (*httptest.Server, *fakePower, *clock) {
	t.Helper()
	power, c := &fakePower{state: PowerOff}, &clock{time.Unix(1e9, 0)}
	host := Host{Name: "a", Rack: "r1", Site: "north", UUID: "7e784888-d6c6-41a2-abd4-e0ccc11c6f37", MemoryMiB: 5120, Processors: 2}
	s := httptest.NewTLSServer(New(host, power, account, func() time.Time { return c.now }, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return s, power, c
}

func connect(t *testing.T, s *httptest.Server, basic bool) *gofish.APIClient {
	t.Helper()
	c, err := gofish.ConnectContext(t.Context(), gofish.ClientConfig{
		Endpoint: s.URL, Username: account.User, Password: account.Password, HTTPClient: s.Client(), BasicAuth: basic,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGofish walks the service as an operator's Redfish client does.
func TestGofish(t *testing.T) {
	for name, basic := range map[string]bool{"basic": true, "session": false} {
		t.Run(name, func(t *testing.T) {
			server, power, _ := start(t)
			c := connect(t, server, basic)
			systems, err := c.Service.Systems()
			if err != nil || len(systems) != 1 {
				t.Fatalf("%d systems, %v", len(systems), err)
			}
			sys := systems[0]
			if sys.PowerState != redfish.OffPowerState || sys.UUID != "7e784888-d6c6-41a2-abd4-e0ccc11c6f37" ||
				sys.MemorySummary.TotalSystemMemoryGiB != 5 || sys.ProcessorSummary.LogicalProcessorCount != 2 || sys.HostName != "a" {
				t.Errorf("system %+v", sys)
			}
			if len(sys.SupportedResetTypes) != len(ResetTypes) {
				t.Errorf("reset types %v", sys.SupportedResetTypes)
			}
			for _, kind := range ResetTypes {
				if err := sys.Reset(redfish.ResetType(kind)); err != nil {
					t.Errorf("reset %s: %v", kind, err)
				}
			}
			if !slices.Equal(power.resets, ResetTypes) {
				t.Errorf("the machine got %v", power.resets)
			}
			chassis, err := c.Service.Chassis()
			if err != nil || len(chassis) != 1 || chassis[0].Location.Placement.Rack != "r1" {
				t.Fatalf("chassis %+v, %v", chassis, err)
			}
			if supply, err := chassis[0].Power(); err != nil || len(supply.PowerSupplies) != 1 {
				t.Errorf("power %+v, %v", supply, err)
			}
			if managers, err := c.Service.Managers(); err != nil || len(managers) != 1 || managers[0].ManagerType != redfish.BMCManagerType {
				t.Errorf("managers %+v, %v", managers, err)
			}
			accounts, err := c.Service.AccountService()
			if err != nil {
				t.Fatal(err)
			}
			if list, err := accounts.Accounts(); err != nil || len(list) != 1 || list[0].UserName != "admin" {
				t.Errorf("accounts %+v, %v", list, err)
			}
			sessions, err := c.Service.Sessions()
			if want := map[bool]int{true: 0, false: 1}[basic]; err != nil || len(sessions) != want {
				t.Errorf("%d sessions, want %d, %v", len(sessions), want, err)
			}
			c.Logout()
		})
	}
}

// call makes one request and returns the answer with the id of its Redfish message.
func call(t *testing.T, s *httptest.Server, method, path, body string, auth func(*http.Request)) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	auth(req)
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Error struct {
			Info []struct {
				ID string `json:"MessageId"`
			} `json:"@Message.ExtendedInfo"`
		} `json:"error"`
	}
	if len(data) > 0 && json.Unmarshal(data, &e) != nil {
		t.Fatalf("%s %s answers with something that is not JSON: %s", method, path, data)
	}
	if len(e.Error.Info) > 0 {
		return resp, strings.TrimPrefix(e.Error.Info[0].ID, registryVersion)
	}
	return resp, ""
}

func nobody(*http.Request)      {}
func admin(r *http.Request)     { r.SetBasicAuth("admin", "secret") }
func wrong(r *http.Request)     { r.SetBasicAuth("admin", "Secret") }
func badToken(r *http.Request)  { r.Header.Set("X-Auth-Token", "x") }
func wrongUser(r *http.Request) { r.SetBasicAuth("root", "secret") }

func TestAnswers(t *testing.T) {
	const sessions = root + "/SessionService/Sessions"
	cases := map[string]struct {
		method, path, body string
		auth               func(*http.Request)
		status             int
		message            string
		challenge          bool
	}{
		"version for anyone":        {"GET", "/redfish", "", nobody, 200, "", false},
		"root for anyone":           {"GET", root + "/", "", nobody, 200, "", false},
		"system without login":      {"GET", root + "/Systems/1", "", nobody, 401, "NoValidSession", true},
		"wrong password":            {"GET", root + "/Systems/1", "", wrong, 401, "NoValidSession", true},
		"wrong user":                {"GET", root + "/Systems/1", "", wrongUser, 401, "NoValidSession", true},
		"wrong token":               {"GET", root + "/Systems/1", "", badToken, 401, "NoValidSession", false},
		"trailing slash":            {"GET", root + "/Systems/1/", "", admin, 200, "", false},
		"head":                      {"HEAD", root + "/Systems/1", "", admin, 200, "", false},
		"unknown resource":          {"GET", root + "/Systems/2", "", admin, 404, "ResourceMissingAtURI", false},
		"unknown resource, no auth": {"GET", root + "/Systems/2", "", nobody, 401, "NoValidSession", true},
		"patch a system":            {"PATCH", root + "/Systems/1", "{}", admin, 405, "OperationNotAllowed", false},
		"read an action":            {"GET", resetTarget, "", admin, 405, "OperationNotAllowed", false},
		"reset without login":       {"POST", resetTarget, `{"ResetType":"On"}`, nobody, 401, "NoValidSession", true},
		"reset":                     {"POST", resetTarget, `{"ResetType":"On"}`, admin, 204, "", false},
		"reset of unknown type":     {"POST", resetTarget, `{"ResetType":"Nmi"}`, admin, 400, "ActionParameterValueNotInList", false},
		"reset of wrong type":       {"POST", resetTarget, `{"ResetType":1}`, admin, 400, "ActionParameterValueNotInList", false},
		"reset without type":        {"POST", resetTarget, `{}`, admin, 400, "ActionParameterMissing", false},
		"reset with more":           {"POST", resetTarget, `{"ResetType":"On","Delay":1}`, admin, 400, "ActionParameterUnknown", false},
		"reset with bad JSON":       {"POST", resetTarget, `{"ResetType"`, admin, 400, "MalformedJSON", false},
		"huge body":                 {"POST", resetTarget, `{"ResetType":"` + strings.Repeat("x", maxBody) + `"}`, admin, 400, "MalformedJSON", false},
		"log in":                    {"POST", sessions, `{"UserName":"admin","Password":"secret"}`, nobody, 201, "", false},
		"log in, wrong password":    {"POST", sessions, `{"UserName":"admin","Password":"x"}`, nobody, 401, "NoValidSession", false},
		"log in without password":   {"POST", sessions, `{"UserName":"admin"}`, nobody, 400, "PropertyMissing", false},
		"log out of nothing":        {"DELETE", sessions + "/9", "", admin, 404, "ResourceMissingAtURI", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server, power, _ := start(t)
			resp, message := call(t, server, c.method, c.path, c.body, c.auth)
			if resp.StatusCode != c.status || message != c.message {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, message, c.status, c.message)
			}
			if got := resp.Header.Get("WWW-Authenticate") != ""; got != c.challenge {
				t.Errorf("challenge = %v", got)
			}
			if c.status != 204 && len(power.resets) > 0 {
				t.Errorf("a refused request reached the machine: %v", power.resets)
			}
			if resp.StatusCode == 405 && resp.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func TestResetFailures(t *testing.T) {
	for want, err := range map[string]error{"ActionNotSupported": ErrState, "InternalError": errors.New("no such device")} {
		server, power, _ := start(t)
		power.err = err
		resp, message := call(t, server, "POST", resetTarget, `{"ResetType":"GracefulRestart"}`, admin)
		if status := map[string]int{"ActionNotSupported": 409, "InternalError": 500}[want]; resp.StatusCode != status || message != want {
			t.Errorf("%d %s, want %d %s", resp.StatusCode, message, status, want)
		}
	}
}

func TestSessionLife(t *testing.T) {
	server, _, clock := start(t)
	login := func() (*http.Response, func(*http.Request)) {
		resp, _ := call(t, server, "POST", root+"/SessionService/Sessions", `{"UserName":"admin","Password":"secret"}`, nobody)
		token := resp.Header.Get("X-Auth-Token")
		return resp, func(r *http.Request) { r.Header.Set("X-Auth-Token", token) }
	}
	status := func(auth func(*http.Request)) int {
		resp, _ := call(t, server, "GET", root+"/Systems/1", "", auth)
		return resp.StatusCode
	}
	_, auth := login()
	clock.now = clock.now.Add(sessionTimeout)
	if got := status(auth); got != 200 {
		t.Errorf("session in use: %d", got)
	}
	clock.now = clock.now.Add(sessionTimeout + time.Second)
	if got := status(auth); got != 401 {
		t.Errorf("session unused for too long: %d", got)
	}
	resp, auth := login()
	if r, _ := call(t, server, "DELETE", resp.Header.Get("Location"), "", auth); r.StatusCode != 204 {
		t.Errorf("log out: %d", r.StatusCode)
	}
	if got := status(auth); got != 401 {
		t.Errorf("session after log out: %d", got)
	}
	_, oldest := login()
	for range maxSessions {
		clock.now = clock.now.Add(time.Second)
		login()
	}
	if got := status(oldest); got != 401 {
		t.Errorf("the longest unused session makes room: %d", got)
	}
}

// TestLinks follows every link of the service: none may lead nowhere.
func TestLinks(t *testing.T) {
	server, _, _ := start(t)
	seen := map[string]bool{}
	var visit func(path string)
	visit = func(path string) {
		path, _, _ = strings.Cut(path, "#")
		if seen[path] {
			return
		}
		seen[path] = true
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		admin(req)
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body any
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
		}
		for _, next := range links(body) {
			visit(next)
		}
	}
	visit(root)
	if len(seen) < 17 {
		t.Errorf("only %d resources are linked: %v", len(seen), seen)
	}
}

func links(v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "@odata.id" || key == "@Redfish.ActionInfo") {
				out = append(out, text)
			}
			out = append(out, links(value)...)
		}
	case []any:
		for _, value := range v {
			out = append(out, links(value)...)
		}
	}
	return out
}
