// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// StepRecordReplicas is the first step of ScaleOut.
const StepRecordReplicas = "record-replicas"

// Scale is what ScaleOut rests on.
type Scale struct {
	Service
	// Object of the service, which carries the annotation; Deployment that is scaled.
	Object, Deployment Object
	// Program is the part's name in Parts.
	Program string
	// Specified replicas, those that run Now, and those Wanted from now on.
	Specified, Now, Wanted int32
	// Most replicas that the database has connections for. 0: no such limit.
	Most int32
	// Updating says that replicas are being replaced by a newer template.
	Updating bool
}

// Ends says that the operation goes back to the specification's number.
func (f Scale) Ends() bool { return f.Wanted == f.Specified }

// PlanScale runs more replicas than the specification says, or ends that.
func PlanScale(f Scale) Decision {
	switch p := f.part(f.Program); {
	case !p.Known:
		return blocked(api.ReasonStateUnknown, "the state of the %s is not known: nothing is scaled while that is so", f.Program)
	case f.Updating:
		return blocked(api.ReasonQuorumAtRisk, "replicas of the %s are being replaced just now: wait until that has ended", f.Program)
	case f.Wanted < f.Specified:
		return blocked(api.ReasonNotApplicable, "replicas: %d is fewer than the %d of the specification of %s: give more, or %d to end an earlier scaling", f.Wanted, f.Specified, f.Service, f.Specified)
	case f.Most > 0 && f.Wanted > f.Most:
		return blocked(api.ReasonNotApplicable, "replicas: %d would open more connections than the database accepts: give at most %d, or lower capacity.databaseConnections", f.Wanted, f.Most)
	case f.Wanted == f.Now:
		return blocked(api.ReasonNotApplicable, "%s runs %s already: there is nothing to do", f.Service, Count(int(f.Now), "replica", "replicas"))
	}
	change := max(f.Wanted-f.Now, f.Now-f.Wanted)
	summary := fmt.Sprintf("run %d replicas of the %s of %s instead of %d, until another ScaleOut says otherwise", f.Wanted, f.Program, f.Service, f.Now)
	record := "record the number on the service, so that it stays when the specification is applied again"
	if f.Ends() {
		summary = fmt.Sprintf("go back to the %d replicas of the %s that the specification of %s says, from %d; those that go finish their work first", f.Wanted, f.Program, f.Service, f.Now)
		record = "take the recorded number off the service"
	}
	return plan(summary, []string{fmt.Sprintf("replicas: from %d to %d", f.Now, f.Wanted)},
		api.PlannedStep{Name: StepRecordReplicas, Summary: record, Touches: touches(f.Object),
			Repeatable: true, ExpectedSeconds: 1, TimeoutSeconds: 60},
		api.PlannedStep{Name: "scale-" + f.Program, Summary: fmt.Sprintf("set the Deployment to %d replicas and wait until all of them are available", f.Wanted),
			Touches: touches(f.Deployment), Repeatable: true,
			ExpectedSeconds: programExpected, TimeoutSeconds: 60 + change*programTimeout})
}
