// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// StepJoinInstance of RebuildReplica of a member of the broker comes after StepDeleteInstance.
const StepJoinInstance = "join-instance"

// Member is what RebuildReplica rests on when it is on a member of the broker.
type Member struct {
	Service
	// Nodes is the broker's StatefulSet; Instance is the member to throw away.
	Nodes    Object
	Instance string
	// Members that the broker has to have. One that is ready holds its replicas of the queues.
	Members []Instance
	// Doomed are the instance's pod and volume, as far as they exist.
	Doomed []Object
}

// PlanRebuildMember throws a member of the broker and its data away: another one of its name begins
// anew and gets its replicas of the queues from the others.
func PlanRebuildMember(f Member) Decision {
	if f.Elsewhere[Broker] != "" {
		return f.notOurs(Broker)
	}
	if !f.part(Broker).Known {
		return blocked(api.ReasonStateUnknown, "nothing says how the broker of %s is: nothing is thrown away while nobody knows what the other members hold", f.Service)
	}
	known, others := membersBut(f.Members, f.Instance)
	switch {
	case !slices.Contains(known, f.Instance):
		return blocked(api.ReasonTargetNotFound, "%s is no member of the broker of %s: instance must be one of %s", f.Instance, f.Service, strings.Join(known, ", "))
	case len(others) == 0:
		return blocked(api.ReasonNotApplicable, "%s is the only member of the broker, and there is none to get its queues from: RebuildBroker fills a new one from the ledger", f.Instance)
	case len(f.Doomed) == 0:
		return blocked(api.ReasonNotApplicable, "%s has neither a pod nor a volume that could be thrown away: it is being made anew already", f.Instance)
	}
	d := plan(fmt.Sprintf("throw the member %s of the broker of %s away with its data; it begins anew and gets its replicas of the queues from %s; nothing that was acknowledged is lost", f.Instance, f.Service, strings.Join(others, " and ")),
		append(inputs(f.Doomed...), kept+strings.Join(others, ", ")),
		api.PlannedStep{
			Name: StepDeleteInstance, Summary: fmt.Sprintf("delete the pod and the data of %s: %s", f.Instance, Count(len(f.Doomed), "object", "objects")),
			Touches: touches(f.Doomed...), Destructive: true, Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 300,
		},
		api.PlannedStep{
			Name: StepJoinInstance, Summary: "wait until the new member is in the cluster and holds its replicas of the queues, and every member is ready",
			Touches: []string{f.Nodes.Touch()}, Repeatable: true, ExpectedSeconds: 60, TimeoutSeconds: 900,
		},
	)
	d.Plan.PointOfNoReturn = StepDeleteInstance
	d.Blockers = f.Others()
	return d
}

// Others says why the members besides the one that is thrown away are not enough. That one may be
// broken, and what its operator does with it is no work on another: a StatefulSet waits for it.
func (f Member) Others() []api.Blocker {
	parts := without(f.Parts, Broker, f.Members, f.Instance)
	whole := slices.ContainsFunc(f.Members, func(m Instance) bool { return m.Name == f.Instance && m.Ready })
	for i := range parts {
		if parts[i].Name == Broker {
			parts[i].Changing = whole && f.part(Broker).Changing
		}
	}
	return disrupt(quorum.MayDisrupt("", parts))
}
