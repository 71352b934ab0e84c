// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// Steps of RebuildReplica.
const (
	StepDeleteInstance = "delete-instance"
	StepCopyInstance   = "copy-instance"
)

// Instance is one member of the database or of the broker.
type Instance struct {
	// Name of its pod.
	Name string
	// Ready says that CloudNativePG counts it as healthy, or that its pod is ready.
	Ready bool
}

// Replica is what RebuildReplica rests on when it is on an instance of the database.
type Replica struct {
	Service
	// Cluster is the database; Instance is the member to throw away.
	Cluster  Object
	Instance string
	// Primary is the member that accepts writes. Empty while none does.
	Primary string
	// Instances that CloudNativePG knows.
	Instances []Instance
	// Members of the broker, which RebuildReplica takes as well.
	Members []string
	// Working is what CloudNativePG is doing with the members, in its own words. Empty when it
	// does nothing, or waits for a member that does not come.
	Working string
	// Doomed are the instance's pod and volumes, as far as they exist.
	Doomed []Object
}

// PlanRebuildReplica throws a standby and its data away and has another one copied from
// the primary.
func PlanRebuildReplica(f Replica) Decision {
	if f.Elsewhere[Database] != "" {
		return f.notOurs(Database)
	}
	if !f.part(Database).Known {
		return blocked(api.ReasonStateUnknown, "CloudNativePG does not say how %s is: nothing is thrown away while nobody knows what the other members hold", f.Cluster.Touch())
	}
	known, others := membersBut(f.Instances, f.Instance)
	switch {
	case !slices.Contains(known, f.Instance), len(f.Doomed) == 0:
		return blocked(api.ReasonTargetNotFound, "%s is no member of %s: instance must be one of %s", f.Instance, f.Service, strings.Join(append(known, f.Members...), ", "))
	case f.Instance == f.Primary:
		return blocked(api.ReasonNotApplicable,
			"%s is the primary, which is never thrown away: RestartRolling of the part Database hands its role over, and then it can be rebuilt as a standby", f.Instance)
	}
	d := plan(fmt.Sprintf("throw the standby %s of the database of %s away with its data, and copy another one from the primary %s; nothing that was acknowledged is lost", f.Instance, f.Service, f.Primary),
		append(inputs(f.Doomed...), "primary: "+f.Primary, kept+strings.Join(others, ", ")),
		api.PlannedStep{
			Name: StepDeleteInstance, Summary: fmt.Sprintf("delete the pod and the data of %s: %s", f.Instance, Count(len(f.Doomed), "object", "objects")),
			Touches: touches(f.Doomed...), Destructive: true, Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 300,
		},
		api.PlannedStep{
			Name: StepCopyInstance, Summary: "wait until CloudNativePG has copied another standby, it follows the primary, and every member is ready",
			Touches: []string{f.Cluster.Touch()}, Repeatable: true,
			// The longest: a copy of the whole database over the network.
			ExpectedSeconds: 120, TimeoutSeconds: 4 * 3600,
		},
	)
	d.Plan.PointOfNoReturn = StepDeleteInstance
	d.Blockers = f.Others()
	return d
}

// kept begins the input that names the other members.
const kept = "kept: "

// Kept are the members that a plan of RebuildReplica leaves alone: any other that is there
// afterwards is the new one.
func Kept(p *api.Plan) []string {
	if p == nil {
		return nil
	}
	for _, input := range p.Inputs {
		if names, ok := strings.CutPrefix(input, kept); ok {
			return strings.Split(names, ", ")
		}
	}
	return nil
}

// Others says why the members besides the one that is thrown away are not enough. That
// one may be broken; none of the others may.
func (f Replica) Others() []api.Blocker {
	switch {
	case f.Primary == "":
		return []api.Blocker{blocker(api.ReasonQuorumAtRisk,
			"the database has no primary that accepts writes just now, so there is nothing to copy from: wait for the failover, or recover the database")}
	case f.Primary == f.Instance:
		return []api.Blocker{blocker(api.ReasonQuorumAtRisk, "%s has become the primary: abort this operation and make another plan", f.Instance)}
	case f.Working != "":
		return []api.Blocker{blocker(api.ReasonQuorumAtRisk, "CloudNativePG is at work on the database (%s): wait until it has finished", f.Working)}
	}
	return disrupt(quorum.MayDisrupt("", without(f.Parts, Database, f.Instances, f.Instance)))
}

// membersBut are the names of all members, and of all but one.
func membersBut(members []Instance, but string) (all, others []string) {
	for _, m := range members {
		all = append(all, m.Name)
		if m.Name != but {
			others = append(others, m.Name)
		}
	}
	return all, others
}

// without returns parts with the named one as if it consisted of all its members but one, and nothing were done to it.
func without(parts []quorum.Part, name string, members []Instance, but string) []quorum.Part {
	out := slices.Clone(parts)
	for i, p := range out {
		if p.Name != name {
			continue
		}
		out[i] = quorum.Part{Name: name, Known: p.Known, Desired: p.Desired - 1}
		for _, m := range members {
			if m.Ready && m.Name != but {
				out[i].Ready++
			}
		}
	}
	return out
}
