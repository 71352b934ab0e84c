// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Supplier is what the actions on one supplier rest on.
type Supplier struct {
	Service
	// Object of the service, which carries the annotation.
	Object Object
	// Name of the supplier, and All that the specification has.
	Name string
	All  []string
	// StoppedBySpec and StoppedByHand say whose kill switch is on: the specification's, or
	// that of an operation.
	StoppedBySpec, StoppedByHand bool
	// Dead letters of the supplier. Nil: nobody answers who could count them.
	Dead *int64
}

// pickUp is how long gateways may take to see a changed file, in seconds: the kubelet
// brings it within a minute or so.
const pickUp, pickUpTimeout = 90, 600

func (f Supplier) unknown() *Decision {
	if slices.Contains(f.All, f.Name) {
		return nil
	}
	d := blocked(api.ReasonTargetNotFound, "%s has no supplier %q: supplier must be one of %s", f.Service, f.Name, strings.Join(f.All, ", "))
	return &d
}

// PlanQuarantine stops the traffic of one supplier and nobody else's.
func PlanQuarantine(f Supplier) Decision {
	if d := f.unknown(); d != nil {
		return *d
	}
	switch {
	case f.StoppedBySpec:
		return blocked(api.ReasonNotApplicable, "the specification of %s has stopped %s already: there is nothing to do", f.Service, f.Name)
	case f.StoppedByHand:
		return blocked(api.ReasonNotApplicable, "%s is in quarantine already: ReleaseSupplier ends it", f.Name)
	}
	return plan(fmt.Sprintf("stop the traffic of supplier %s of %s: new messages to it are refused with 503, those acknowledged are kept, nobody else notices", f.Name, f.Service), nil,
		api.PlannedStep{
			Name: "stop-supplier", Summary: fmt.Sprintf("put %s on the service's list of stopped suppliers, and wait until every gateway says that it is stopped", f.Name),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: pickUp, TimeoutSeconds: pickUpTimeout,
		})
}

// PlanRelease opens the traffic of a supplier in quarantine.
func PlanRelease(f Supplier) Decision {
	if d := f.unknown(); d != nil {
		return *d
	}
	switch {
	case f.StoppedBySpec:
		return blocked(api.ReasonNotApplicable, "%s is stopped by the specification of %s: set its traffic to Open there; an operation does not overrule it", f.Name, f.Service)
	case !f.StoppedByHand:
		return blocked(api.ReasonNotApplicable, "%s is not in quarantine: there is nothing to release", f.Name)
	}
	return plan(fmt.Sprintf("open the traffic of supplier %s of %s again: what was kept for it is delivered at its rate limit", f.Name, f.Service), nil,
		api.PlannedStep{
			Name: "open-supplier", Summary: fmt.Sprintf("take %s off the service's list of stopped suppliers, and wait until no gateway says that it is stopped", f.Name),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: pickUp, TimeoutSeconds: pickUpTimeout,
		})
}

// PlanReplay puts a supplier's dead letters back on their way. How many there are is not
// part of the plan: it is for what is there when it begins.
func PlanReplay(f Supplier) Decision {
	if d := f.unknown(); d != nil {
		return *d
	}
	switch {
	case f.Dead == nil:
		return blocked(api.ReasonStateUnknown, "no gateway says how many dead letters %s has: get a gateway to answer first", f.Name)
	case *f.Dead == 0:
		return blocked(api.ReasonNotApplicable, "%s has no dead letters: there is nothing to put back", f.Name)
	case f.StoppedBySpec || f.StoppedByHand:
		return blocked(api.ReasonNotApplicable, "the traffic of %s is stopped, so nothing that is put back would be delivered: open it first (ReleaseSupplier, or the specification)", f.Name)
	}
	return plan(fmt.Sprintf("put the dead letters of supplier %s of %s back on their way, with their attempts forgotten; those that fail again become dead letters again", f.Name, f.Service), nil,
		api.PlannedStep{
			Name: "replay-dead-letters", Summary: "have a gateway put back, in batches, every message that was a dead letter when the step began",
			Touches: touches(f.Object),
			// A message that was put back is no dead letter any more, or a newer one.
			Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 1800,
		})
}
