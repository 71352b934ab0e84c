// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"

	"spine.nhs.uk/controlplane/hack/rack/internal/bmc"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
)

// power connects a BMC to its machine.
type power struct{ m machine.Machine }

func (p power) State() bmc.PowerState {
	switch p.m.State() {
	case machine.On:
		return bmc.PowerOn
	case machine.Starting:
		return bmc.PoweringOn
	default:
		return bmc.PowerOff
	}
}

func (p power) Reset(ctx context.Context, kind bmc.ResetType) error {
	// A power action goes through even when its client hangs up.
	ctx = context.WithoutCancel(ctx)
	err := p.reset(ctx, kind)
	var off *machine.OffError
	if errors.As(err, &off) {
		return fmt.Errorf("%w: %w", bmc.ErrState, err)
	}
	return err
}

func (p power) reset(ctx context.Context, kind bmc.ResetType) error {
	switch kind {
	case bmc.On:
		return p.m.PowerOn(ctx)
	case bmc.ForceOff:
		return p.m.ForceOff(ctx)
	case bmc.GracefulShutdown:
		// Shutting down what is off already has nothing left to do.
		if p.m.State() == machine.Off {
			return nil
		}
		return p.m.ShutDown()
	case bmc.GracefulRestart:
		return p.m.Restart()
	case bmc.ForceRestart, bmc.PowerCycle:
		return p.m.PowerCycle(ctx)
	case bmc.PushPowerButton:
		if p.m.State() == machine.Off {
			return p.m.PowerOn(ctx)
		}
		return p.m.ShutDown()
	default:
		return fmt.Errorf("unknown reset type %s", kind)
	}
}
