// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"testing"

	"spine.nhs.uk/controlplane/hack/rack/internal/bmc"
	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// TestPowerOfHostThatIsOff covers what a BMC answers while its machine has no power.
func TestPowerOfHostThatIsOff(t *testing.T) {
	p := power{machine.Machine{
		Rack: spec.Rack{Name: "test"}, Host: spec.Host{Name: "a"}, Folder: paths.Rack(t.TempDir()),
		Cgroups: cgroup.System{Mode: cgroup.V2, Hierarchies: []cgroup.Hierarchy{{Path: t.TempDir(), Unified: true}}},
	}}
	if got := p.State(); got != bmc.PowerOff {
		t.Errorf("state %s", got)
	}
	if err := p.Reset(t.Context(), bmc.GracefulRestart); !errors.Is(err, bmc.ErrState) {
		t.Errorf("graceful restart: %v", err)
	}
	// Ending what has ended is no failure: fencing must be repeatable.
	for _, kind := range []bmc.ResetType{bmc.ForceOff, bmc.GracefulShutdown} {
		if err := p.Reset(t.Context(), kind); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := p.Reset(t.Context(), bmc.On); err == nil || errors.Is(err, bmc.ErrState) {
		t.Errorf("on, without a disk: %v", err)
	}
}
