// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Names of parts, as in the facts.
const (
	Database = "database"
	Broker   = "broker"
)

// What one member's restart takes, in seconds; the long ones bound a busy host.
const (
	// A new replica of our own programs starts in about 10 and has to serve 20 before the next
	// one is begun; the old one may need 140 to finish its work.
	programExpected, programTimeout = 35, 240
	// A standby stops within 60 at most and catches up; the switchover may take as long.
	databaseExpected, databaseTimeout = 40, 240
	// A broker's node hands its queues over (120 at most) and joins again.
	memberExpected, memberTimeout = 60, 600
)

// Restart is what RestartRolling rests on.
type Restart struct {
	Service
	// Part to restart, by its name in Parts.
	Part string
	// Owner whose own controller restarts the members: a Deployment or a Cluster. Unset for the broker.
	Owner Object
	// Members are the pods, in the order in which the broker's are restarted.
	Members []Object
}

// PlanRestart restarts the members of a part one after the other.
func PlanRestart(f Restart) Decision {
	if f.Elsewhere[f.Part] != "" {
		return f.notOurs(f.Part)
	}
	part := f.part(f.Part)
	var d Decision
	switch f.Part {
	case Broker:
		if part.Known && part.Ready == 0 {
			return blocked(api.ReasonNotApplicable,
				"no member of the broker is ready, so there is no quorum that a rolling restart could keep: use the action RebuildBroker")
		}
		d = restartMembers(f)
	case Database:
		d = plan(fmt.Sprintf("restart the database of %s: its standbys one after the other, then the primary by handing its role over", f.Service),
			[]string{"instances: " + names(f.Members)},
			f.step("restart-database", "have CloudNativePG restart each standby, hand the primary's role over, and restart the old primary",
				databaseExpected, databaseTimeout))
	default:
		d = plan(fmt.Sprintf("restart the %s of %s, one replica after the other: each is replaced before it finishes its work and goes", f.Part, f.Service),
			[]string{fmt.Sprintf("replicas: %d", part.Desired)},
			f.step("restart-"+f.Part, fmt.Sprintf("have the Deployment replace its %s, a new one first each time", Count(int(part.Desired), "replica", "replicas")),
				programExpected, programTimeout))
	}
	d.Blockers = f.Disrupt(f.Part)
	return d
}

// step is one for the whole part, carried out by its owner.
func (f Restart) step(name, summary string, expected, timeout int32) api.PlannedStep {
	n := max(f.part(f.Part).Desired, 1)
	s := api.PlannedStep{Name: name, Summary: summary, Touches: []string{f.Owner.Touch()},
		// The mark that it sets carries the time at which the step first began: set twice, it is one restart.
		Repeatable: true, ExpectedSeconds: n * expected, TimeoutSeconds: n * timeout}
	if f.Part == Database {
		s.Touches = append(s.Touches, touches(f.Members...)...)
	}
	return s
}

func restartMembers(f Restart) Decision {
	var steps []api.PlannedStep
	for _, m := range f.Members {
		steps = append(steps, api.PlannedStep{
			Name:    "restart-broker-" + ordinal(m.Name),
			Summary: fmt.Sprintf("evict %s once every member is ready, and wait until it is back with all of them", m.Name),
			Touches: touches(m),
			// It is evicted by its UID: its successor is not touched.
			Repeatable: true, ExpectedSeconds: memberExpected, TimeoutSeconds: memberTimeout,
		})
	}
	return plan(fmt.Sprintf("restart the %s of the broker of %s, one after the other", Count(len(steps), "member", "members"), f.Service),
		inputs(f.Members...), steps...)
}

// ordinal is the number at the end of a StatefulSet's pod.
func ordinal(pod string) string { return pod[strings.LastIndex(pod, "-")+1:] }

func names(objects []Object) string {
	var out []string
	for _, o := range objects {
		out = append(out, o.Name)
	}
	return strings.Join(out, ", ")
}
