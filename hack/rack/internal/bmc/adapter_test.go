// SPDX-License-Identifier: Apache-2.0

package bmc

import (
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/operators/adapters/redfish"
	"spine.nhs.uk/controlplane/operators/ports"
)

// TestAdapter switches a machine as the manager's own client does, logged in either way.
func TestAdapter(t *testing.T) {
	for _, authentication := range []string{"Basic", "Session"} {
		t.Run(authentication, func(t *testing.T) {
			server, power, _ := start(t)
			p := inventory(t, server, authentication, account.Password)
			for _, step := range []struct {
				do   func() error
				want ports.PowerState
			}{
				{func() error { return nil }, ports.PowerOff},
				{func() error { return p.On(t.Context(), "a") }, ports.PowerOn},
				{func() error { return p.ForceOff(t.Context(), "a") }, ports.PowerOff},
			} {
				if err := step.do(); err != nil {
					t.Fatal(err)
				}
				m, err := p.State(t.Context(), "a")
				if err != nil || m != (ports.Machine{Power: step.want, UUID: "7e784888-d6c6-41a2-abd4-e0ccc11c6f37", HostName: "a"}) {
					t.Errorf("got %+v, %v", m, err)
				}
			}
			if want := []ResetType{On, ForceOff}; !slices.Equal(power.resets, want) {
				t.Errorf("the machine got %v", power.resets)
			}
			var refused *ports.ControllerError
			if err := inventory(t, server, authentication, "wrong").ForceOff(t.Context(), "a"); !errors.As(err, &refused) || len(power.resets) > 2 {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
}

// TestAdapterLeavesNoSession: a question's login is ended with it, however it went.
func TestAdapterLeavesNoSession(t *testing.T) {
	power := &fakePower{state: PowerOn, err: errors.New("stuck")}
	service := New(Host{Name: "a"}, power, account, time.Now, slog.New(slog.DiscardHandler))
	server := httptest.NewTLSServer(service)
	t.Cleanup(server.Close)
	var refused *ports.ControllerError
	if err := inventory(t, server, "Session", account.Password).ForceOff(t.Context(), "a"); !errors.As(err, &refused) {
		t.Errorf("a reset that fails: %v", err)
	}
	if n := len(service.sessions.open); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func inventory(t *testing.T, server *httptest.Server, authentication, password string) ports.Power {
	t.Helper()
	// As the stack writes it.
	hosts := &manager.Hosts{
		Authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
		Controllers: []manager.Controller{{
			Name: "a", Address: server.Listener.Addr().String(), User: account.User, Password: password, Authentication: authentication,
		}},
	}
	text, err := hosts.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, redfish.InventoryFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return redfish.New(dir)
}
