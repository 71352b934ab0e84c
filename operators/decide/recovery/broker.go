// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// Steps of RebuildBroker.
const (
	StepDeleteBroker  = "delete-broker"
	StepFormBroker    = "form-broker"
	StepDispatchAgain = "dispatch-again"
)

// Rebuild is what RebuildBroker rests on.
type Rebuild struct {
	Service
	// DatabaseAvailable says that the ledger accepts durable writes: a primary and a standby.
	DatabaseAvailable bool
	// Program is the name of the part that dispatches again: the gateways.
	Program string
	// Members and Volumes of the broker that exist now.
	Members, Volumes []Object
}

// PlanRebuildBroker throws the broker away, with all that its queues hold: references to
// messages that the ledger holds, from which the gateways fill a new one.
func PlanRebuildBroker(f Rebuild) Decision {
	if host := f.Elsewhere[Broker]; host != "" {
		return planDispatchAgain(f, host)
	}
	doomed := append(append([]Object{}, f.Volumes...), f.Members...)
	if len(doomed) == 0 {
		return blocked(api.ReasonNotApplicable, "the broker of %s has neither a member nor a volume that could be thrown away: its operator has still to make it", f.Service)
	}
	d := plan(
		fmt.Sprintf("throw the broker of %s away, %s and %s, and have the gateways dispatch again from the ledger: deliveries stand still meanwhile, and nothing that was acknowledged is lost",
			f.Service, Count(len(f.Members), "member", "members"), Count(len(f.Volumes), "volume", "volumes")),
		inputs(doomed...),
		api.PlannedStep{
			Name: StepDeleteBroker, Summary: "delete the volumes and kill the members of the broker, all at once, so that no old member meets a new one",
			Touches: touches(doomed...), Destructive: true, Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 300,
		},
		api.PlannedStep{
			Name: StepFormBroker, Summary: fmt.Sprintf("wait until %s are ready in a new cluster", Count(int(f.part(Broker).Desired), "new member", "new members")),
			Repeatable: true, ExpectedSeconds: 90, TimeoutSeconds: 900,
		},
		dispatchAgain,
	)
	d.Plan.PointOfNoReturn = StepDeleteBroker
	d.Blockers = f.Ledger()
	return d
}

// dispatchAgain is what the gateways do by themselves with a broker that lost its queues.
var dispatchAgain = api.PlannedStep{
	Name: StepDispatchAgain, Summary: "wait until every gateway has declared its queues anew and a message gets through the whole path",
	Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 300,
}

// planDispatchAgain is for a broker that somebody else runs, and has mended or made anew: its
// members are theirs, and what its queues have lost is filled from the ledger all the same.
func planDispatchAgain(f Rebuild, host string) Decision {
	d := plan(fmt.Sprintf("see that every gateway of %s dispatches again from the ledger through the broker at %s; the broker is run by somebody else and is not touched", f.Service, host),
		[]string{"broker: " + host}, dispatchAgain)
	d.Blockers = f.Ledger()
	return d
}

// Ledger says why the ledger cannot be relied on to fill a new broker. The broker's own
// members do not count: all of them are thrown away.
func (f Rebuild) Ledger() []api.Blocker {
	database, gateways := f.part(Database), f.part(f.Program)
	relied := []quorum.Part{database}
	if f.Elsewhere[Database] != "" {
		relied = nil // that it can be read is seen by the count of what is unsettled
	}
	switch {
	case database.Known && !f.DatabaseAvailable:
		return []api.Blocker{blocker(api.ReasonWorkAtRisk,
			"the ledger's database does not accept durable writes, and it alone holds what a new broker is filled from: recover the database first")}
	case gateways.Known && gateways.Ready == 0:
		return []api.Blocker{blocker(api.ReasonWorkAtRisk, "no gateway is ready that could dispatch again from the ledger: recover the gateways first")}
	}
	if !gateways.Known { // one that is ready is enough, and others may lack nothing but a broker
		relied = append(relied, gateways)
	}
	if b := disrupt(quorum.MayDisrupt("", relied)); len(b) > 0 {
		return b
	}
	if f.Backlog == nil {
		return []api.Blocker{blocker(api.ReasonStateUnknown,
			"no gateway says how much acknowledged work is unsettled, so nobody could tell whether all of it was dispatched again: get a gateway to answer first")}
	}
	return nil
}
