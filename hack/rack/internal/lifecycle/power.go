// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/stmcginnis/gofish"
	"github.com/stmcginnis/gofish/redfish"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

// PowerAction is what `rack power` can do to a host.
type PowerAction string

const (
	// On boots the host.
	On PowerAction = "on"
	// Off cuts its power, as pulling the plug does.
	Off PowerAction = "off"
	// Cycle is Off and On.
	Cycle PowerAction = "cycle"
)

var resets = map[PowerAction]redfish.ResetType{
	On: redfish.OnResetType, Off: redfish.ForceOffResetType, Cycle: redfish.PowerCycleResetType,
}

// Power carries an action out through the host's BMC, as any client of a real one would, or
// directly while the rack's daemon does not run.
func (r *Rack) Power(ctx context.Context, host string, action PowerAction, bmcUser string) error {
	m, err := r.Machine(host)
	if err != nil {
		return err
	}
	if _, alive := proc.Read(r.Folder.DaemonPID()); alive {
		return r.powerByBMC(ctx, host, m.Host.BMC, resets[action], bmcUser)
	}
	switch action {
	case On:
		return m.PowerOn(ctx)
	case Off:
		return m.ForceOff(ctx)
	default:
		return m.PowerCycle(ctx)
	}
}

func (r *Rack) powerByBMC(ctx context.Context, host, address string, reset redfish.ResetType, user string) error {
	password, err := os.ReadFile(r.Folder.BMCPassword())
	if err != nil {
		return err
	}
	client, err := r.httpClient()
	if err != nil {
		return err
	}
	bmc, err := gofish.ConnectContext(ctx, gofish.ClientConfig{
		Endpoint: "https://" + address, Username: user, Password: strings.TrimSpace(string(password)),
		HTTPClient: client, BasicAuth: true,
	})
	if err != nil {
		return fmt.Errorf("BMC of host %s at %s: %w", host, address, err)
	}
	defer bmc.Logout()
	systems, err := bmc.Service.Systems()
	if err != nil {
		return fmt.Errorf("BMC of host %s at %s: %w", host, address, err)
	}
	for _, system := range systems {
		if err := system.Reset(reset); err != nil {
			return fmt.Errorf("BMC of host %s at %s: reset %s: %w", host, address, reset, err)
		}
	}
	return nil
}
