// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Steps of ReturnHost.
const (
	StepPowerOn = "power-on"
	StepAwait   = "await-ready"
	StepAdmit   = "admit"
)

// PlanReturn takes a host back into service. It adds members and takes none away, so that
// nothing about the others holds it back.
func PlanReturn(f Facts, power Power) Decision {
	n := f.Node()
	switch {
	case n == nil:
		return f.missing()
	case n.serves():
		return blocked(api.ReasonNotApplicable, "host %s is in service already", f.Host)
	case !n.Ready && power.Problem != "":
		return blocked(api.ReasonHostUnmanaged, "host %s is not ready, and %s: switch it on by hand, and ask again once it is ready", f.Host, power.Problem)
	}
	var steps []api.PlannedStep
	if !n.Ready && power.Off {
		steps = append(steps, api.PlannedStep{
			Name: StepPowerOn, Summary: fmt.Sprintf("switch host %s on by its management controller, and read back that it is on", f.Host),
			Touches: []string{"Host " + f.Host}, Repeatable: true, ExpectedSeconds: 5, TimeoutSeconds: 120,
		})
	}
	steps = append(steps, api.PlannedStep{
		Name: StepAwait, Summary: fmt.Sprintf("wait until host %s is ready and what every host runs is ready on it", f.Host),
		Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 900,
	}, api.PlannedStep{
		Name: StepAdmit, Summary: fmt.Sprintf("take host %s back into service: pods may run on it", f.Host), Touches: []string{"Node " + f.Host},
		Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 120,
	})
	return Decision{Plan: api.Plan{
		Summary: fmt.Sprintf("take host %s back into service, then wait until every part has all its members", f.Host), Steps: steps,
	}}
}

// Whole says whether every part has all members that there should be, and if not, which lack.
func (f Facts) Whole() (bool, string) {
	for _, p := range f.Parts {
		n := int32(0)
		for _, m := range p.Members {
			if m.Ready && !m.Astray {
				n++
			}
		}
		switch {
		case !p.Known:
			return false, fmt.Sprintf("the members of the %s are not known", p.Name)
		case n < p.Desired:
			return false, fmt.Sprintf("the %s has %d of %d members", p.Name, n, p.Desired)
		}
	}
	return true, "every part has all its members"
}
