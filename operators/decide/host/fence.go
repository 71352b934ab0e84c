// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Steps of FenceHost.
const (
	StepPowerOff = "power-off"
	StepRelease  = "release"
)

// Power is how a host stands to its management controller.
type Power struct {
	// Problem with the controller in words; empty when it answers for this very host.
	Problem string
	// Off says that the host has no power.
	Off bool
}

// PlanFence switches a host off and releases what it holds. A host that is alive is lost
// with all that is on it, so everything else has to be whole; of one that is dead the quorums
// have to hold without it, as they do if anything works.
func PlanFence(f Facts, power Power, alive bool) Decision {
	if f.Node() == nil {
		return f.missing()
	}
	was := "which does not serve"
	if alive {
		was = "which serves now"
	}
	d := Decision{Plan: api.Plan{
		Summary: fmt.Sprintf("switch off host %s, %s, and release its pods and volumes so that they can run elsewhere", f.Host, was),
		Steps: []api.PlannedStep{{
			Name: StepPowerOff, Summary: fmt.Sprintf("cut the power of host %s by its management controller, and read back that it is off", f.Host),
			Touches: []string{"Host " + f.Host}, Destructive: true, Repeatable: true, ExpectedSeconds: 3, TimeoutSeconds: 120,
		}, {
			Name: StepRelease, Summary: fmt.Sprintf("declare host %s out of service and take its pods off the record, as nothing runs there", f.Host),
			Touches: []string{"Node " + f.Host, "every Pod on " + f.Host}, Destructive: true, Repeatable: true, ExpectedSeconds: 5, TimeoutSeconds: 300,
		}},
		PointOfNoReturn: StepPowerOff,
	}}
	d.Blockers = f.BeforeFence(power, alive)
	return d
}

// BeforeFence says what holds a fence back.
func (f Facts) BeforeFence(power Power, alive bool) []api.Blocker {
	var out []api.Blocker
	if power.Problem != "" {
		out = append(out, blocker(api.ReasonHostUnmanaged,
			"%s; nothing is released of a host that may still run: switch it off by hand, and mend the inventory or the controller", power.Problem))
	}
	out = append(out, f.others(api.ReasonManyHostsDown, Node.up)...)
	if alive {
		return append(out, f.oneAway()...)
	}
	return append(out, f.majority()...)
}

// BeforeRelease: nothing of a host is released that is not known to be off.
func BeforeRelease(name string, power Power) []api.Blocker {
	switch {
	case power.Problem != "":
		return []api.Blocker{blocker(api.ReasonHostUnmanaged, "%s; nothing is released before it says that the host is off", power.Problem)}
	case !power.Off:
		return []api.Blocker{blocker(api.ReasonNotApplicable, "host %s has power again: somebody switched it on; abort, or switch it off", name)}
	}
	return nil
}
