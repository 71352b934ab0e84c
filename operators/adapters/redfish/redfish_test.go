// SPDX-License-Identifier: Apache-2.0

package redfish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	wellSystems = `{"Members":[{"@odata.id":"/redfish/v1/Systems/1"}]}`
	wellSystem  = `{"PowerState":"On","UUID":"u","HostName":"a","Actions":{"#ComputerSystem.Reset":{"target":"/redfish/v1/Systems/1/Actions/ComputerSystem.Reset","ResetType@Redfish.AllowableValues":["On","ForceOff"]}}}`
)

// controller answers by path and remembers what it was asked for.
type controller struct {
	answers map[string]string
	status  map[string]int
	asked   []string
}

func (c *controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, basic := r.BasicAuth()
	login := map[bool]string{true: password, false: r.Header.Get("X-Auth-Token")}[basic]
	c.asked = append(c.asked, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL.Path, root)+" "+login))
	if r.Method == http.MethodPost && r.URL.Path == sessions {
		w.Header().Set("X-Auth-Token", "token")
		w.Header().Set("Location", sessions+"/7")
	}
	if s := c.status[r.URL.Path]; s != 0 {
		w.WriteHeader(s)
	}
	_, _ = w.Write([]byte(c.answers[r.URL.Path]))
}

func well() *controller {
	return &controller{status: map[string]int{}, answers: map[string]string{systems: wellSystems, systems + "/1": wellSystem}}
}

// start serves a controller and returns a Power whose inventory has it as host a.
func start(t testing.TB, c *controller, change func(*Inventory)) *Power {
	t.Helper()
	server := httptest.NewTLSServer(c)
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	inventory := &Inventory{Authority: string(authority), Hosts: []Controller{
		{Name: "a", Address: server.Listener.Addr().String(), User: "admin", Password: "Hidden1"},
	}}
	if change != nil {
		change(inventory)
	}
	dir := t.TempDir()
	write(t, dir, inventory)
	return New(dir)
}

func write(t testing.TB, dir string, inventory *Inventory) {
	t.Helper()
	raw, err := yaml.Marshal(inventory)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, InventoryFile), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBasic(t *testing.T) {
	c := well()
	p := start(t, c, nil)
	if m, err := p.State(t.Context(), "a"); err != nil || m != (ports.Machine{Power: ports.PowerOn, UUID: "u", HostName: "a"}) {
		t.Errorf("got %+v, %v", m, err)
	}
	if err := p.ForceOff(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	want := "GET /Systems Hidden1, GET /Systems/1 Hidden1, GET /Systems Hidden1, GET /Systems/1 Hidden1, POST /Systems/1/Actions/ComputerSystem.Reset Hidden1"
	if got := strings.Join(c.asked, ", "); got != want {
		t.Errorf("asked %s", got)
	}
}

func TestSession(t *testing.T) {
	c := well()
	p := start(t, c, func(i *Inventory) { i.Hosts[0].Authentication = authSession })
	if err := p.On(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	want := "POST /SessionService/Sessions, GET /Systems token, GET /Systems/1 token, POST /Systems/1/Actions/ComputerSystem.Reset token, DELETE /SessionService/Sessions/7 token"
	if got := strings.Join(c.asked, ", "); got != want {
		t.Errorf("asked %s", got)
	}
}

func TestStates(t *testing.T) {
	for text, want := range map[string]ports.PowerState{
		"On": ports.PowerOn, "Off": ports.PowerOff, "PoweringOff": ports.PowerChanging, "": ports.PowerChanging, "Paused": ports.PowerChanging,
	} {
		if got := powerState(text); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// TestRefusals: what a controller says that is not what was asked for.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*controller)
		want   string
	}{
		"account":    {func(c *controller) { c.status[systems] = 401 }, `refuses the account "admin" (status 401)`},
		"rights":     {func(c *controller) { c.status[systems+"/1"] = 403 }, "status 403"},
		"no machine": {func(c *controller) { c.answers[systems] = `{"Members":[]}` }, "manages 0 machines"},
		"several":    {func(c *controller) { c.answers[systems] = `{"Members":[{},{}]}` }, "manages 2 machines"},
		"not JSON":   {func(c *controller) { c.answers[systems] = `<html>` }, "something else"},
		"elsewhere":  {func(c *controller) { c.answers[systems] = `{"Members":[{"@odata.id":"@evil.test/redfish/v1/x"}]}` }, "gave a link"},
		"another host": {func(c *controller) {
			c.answers[systems] = `{"Members":[{"@odata.id":"https://evil.test/redfish/v1/x"}]}`
		}, "gave a link"},
		"redirect":        {func(c *controller) { c.status[systems] = 302 }, "with status 302"},
		"no such reset":   {func(c *controller) { c.answers[systems+"/1"] = strings.Replace(wellSystem, `"ForceOff"`, `"Nmi"`, 1) }, "only On, Nmi"},
		"no target":       {func(c *controller) { c.answers[systems+"/1"] = `{"PowerState":"On"}` }, "gave a link"},
		"refuses a reset": {func(c *controller) { c.status[systems+"/1/Actions/ComputerSystem.Reset"] = 409 }, "with status 409"},
		"names why": {func(c *controller) {
			path := systems + "/1/Actions/ComputerSystem.Reset"
			c.status[path], c.answers[path] = 409, `{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.18.ActionNotSupported"}]}}`
		}, "with status 409 (Base.1.18.ActionNotSupported)"},
	} {
		t.Run(name, func(t *testing.T) {
			bmc := well()
			c.change(bmc)
			err := start(t, bmc, nil).ForceOff(t.Context(), "a")
			var refused *ports.ControllerError
			if !errors.As(err, &refused) || refused.Host != "a" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "Hidden1") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTrust: nobody gets the password whose certificate is not believed.
func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	sum := sha256.Sum256(server.Certificate().Raw)
	pin := hex.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		change func(*Inventory)
		want   string // of the error; empty means that it is believed
	}{
		"pinned":          {func(i *Inventory) { i.Authority, i.Hosts[0].CertificateSHA256 = "", pin }, ""},
		"pinned another":  {func(i *Inventory) { i.Hosts[0].CertificateSHA256 = strings.Repeat("00", 32) }, "not the one that is pinned"},
		"other authority": {func(i *Inventory) { i.Authority = otherAuthority }, "not believed"},
	} {
		t.Run(name, func(t *testing.T) {
			bmc := well()
			_, err := start(t, bmc, c.change).State(t.Context(), "a")
			var refused *ports.ControllerError
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || len(bmc.asked) > 0):
				t.Errorf("got %v, and it was asked %v", err, bmc.asked)
			}
		})
	}
}

func TestInventory(t *testing.T) {
	bmc := well()
	p := start(t, bmc, nil)
	var unmanaged *ports.UnmanagedError
	if _, err := p.State(t.Context(), "b"); !errors.As(err, &unmanaged) || unmanaged.Host != "b" {
		t.Errorf("a host that is not there: %v", err)
	}
	if hosts, err := p.Hosts(); err != nil || strings.Join(hosts, " ") != "a" {
		t.Errorf("got %v, %v", hosts, err)
	}
	write(t, p.dir, &Inventory{})
	if _, err := p.State(t.Context(), "a"); !errors.As(err, &unmanaged) {
		t.Errorf("a changed inventory does not count: %v", err)
	}
	if _, err := New(t.TempDir()).Hosts(); !errors.As(err, &unmanaged) {
		t.Errorf("no inventory: %v", err)
	}
}

func TestSilence(t *testing.T) {
	p := start(t, well(), func(i *Inventory) { i.Hosts[0].Address = "127.0.0.1:1" })
	var silent *ports.SilentControllerError
	if _, err := p.State(t.Context(), "a"); !errors.As(err, &silent) {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := start(t, well(), nil).On(ctx, "a"); !errors.As(err, &silent) {
		t.Errorf("no time: %v", err)
	}
}

// FuzzAnswers: whatever a controller says, its machine is on, off, or nothing is known.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(wellSystems), []byte(wellSystem))
	f.Add([]byte(`{"Members":[{"@odata.id":"/redfish/v1/"}]}`), []byte(`{"PowerState":1}`))
	bmc := well()
	p := start(f, bmc, nil)
	f.Fuzz(func(t *testing.T, collection, one []byte) {
		bmc.asked, bmc.answers = nil, map[string]string{systems: string(collection), systems + "/1": string(one)}
		m, err := p.State(t.Context(), "a")
		if err == nil && m.Power == "" || err != nil && m != (ports.Machine{}) {
			t.Errorf("got %+v, %v", m, err)
		}
		if err == nil && m.Power == ports.PowerOff && !json.Valid(one) {
			t.Error("off, by an answer that is no JSON")
		}
	})
}

// otherAuthority has issued nothing.
const otherAuthority = `-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUApHhoq+rNB6zHPYCqaQ1QdMXsgMwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRYW5vdGhlciBhdXRob3JpdHkwIBcNMjYxMTIxMDgxMjU3WhgP
MjEyNjEwMjgwODEyNTdaMBwxGjAYBgNVBAMMEWFub3RoZXIgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUdb2Fr6EwczN8MNO41D/E00pwZzjbJWe
EjVEohDe8sxRGEEaPhJQOCXb2rjSOv5bHfsPj2pxnDd7/wyfiVm5PKNTMFEwHQYD
VR0OBBYEFCbS2+9TH/F2OftTuESDbQYgJEwsMB8GA1UdIwQYMBaAFCbS2+9TH/F2
OftTuESDbQYgJEwsMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg
Uluw3QoNra/pAlMXLpE+UBMiC6Jp17/HMxNvFxme2iACIQD8ChnSYv0Vtqm3V0el
phSqhmwAF+bGYd24RIsG/NeaDA==
-----END CERTIFICATE-----
`
