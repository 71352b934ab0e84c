// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"
	"slices"
	"strings"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Names of steps.
const (
	StepStop    = "stop-source"
	StepDemote  = "hand-over-databases"
	StepVote    = "take-vote"
	StepTraffic = "move-traffic"
	StepPromote = "promote-target"
)

// Member is one service at the site that is to serve.
type Member struct {
	// Service as Kind/namespace/name.
	Service string
	// Role that is brought about.
	Role common.SiteRole
	// Ready, or what it Lacks.
	Ready bool
	Lacks string
}

// Failover is what a plan rests on.
type Failover struct {
	Take
	// Mode, Limit and AcceptUnknown are what was asked for.
	Mode          api.FailoverMode
	To            string
	Limit         api.LossLimit
	AcceptUnknown bool
	// Following is what this site knows of what it has.
	Following Following
	// PeerReachable says that the other site's manager answers.
	PeerReachable bool
	// Members are this site's services, in the policy's order.
	Members []Member
}

// Decision is a plan and what blocks it.
type Decision struct {
	Plan     api.Plan
	Blockers []api.Blocker
}

// Plan decides how this site takes over.
func Plan(f Failover) Decision {
	switch {
	case f.To != f.Me:
		return refuse(api.ReasonNotApplicable, "spec.to is %s, and this is site %s: make the failover at the site that is to serve", f.To, f.Me)
	case f.Vote == nil:
		return Decision{Blockers: []api.Blocker{silent()}}
	case f.Vote.Site == f.Me:
		return refuse(api.ReasonNotApplicable, "site %s has the vote already (epoch %d): there is nothing to move", f.Me, f.Vote.Epoch)
	case f.Vote.Site != f.Peer:
		return refuse(api.ReasonStateUnknown, "the witness has site %q on record: expected %s or %s", f.Vote.Site, f.Me, f.Peer)
	}
	d := Decision{Plan: api.Plan{
		PointOfNoReturn: StepVote,
		Inputs:          []string{VoteInput(*f.Vote)},
	}}
	services := make([]string, 0, len(f.Members))
	for _, m := range f.Members {
		services = append(services, m.Service)
	}
	d.Blockers = unready(f.Members)
	if f.Mode == api.FailoverPlanned {
		d.planned(f, services)
	} else {
		d.unplanned(f, services)
	}
	return d
}

// VoteInput is the first input of each plan: the vote that it was made for, without its end,
// which moves.
func VoteInput(v Vote) string {
	return fmt.Sprintf("vote: site %s, epoch %d, alone %t", v.Site, v.Epoch, v.Alone)
}

func refuse(reason, format string, args ...any) Decision {
	return Decision{Blockers: []api.Blocker{{Reason: reason, Message: fmt.Sprintf(format, args...)}}}
}

// unready blocks while a service here could not serve.
func unready(members []Member) []api.Blocker {
	var lacks []string
	for _, m := range members {
		switch {
		case m.Role != common.SiteStandby:
			lacks = append(lacks, fmt.Sprintf("%s is not a standby that follows (it is %q)", m.Service, m.Role))
		case !m.Ready:
			lacks = append(lacks, m.Service+" lacks "+m.Lacks)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return []api.Blocker{{Reason: api.ReasonStandbyNotReady, Message: "this site cannot serve: " + strings.Join(lacks, "; ")}}
}

func (d *Decision) planned(f Failover, services []string) {
	d.Plan.Summary = fmt.Sprintf("hand %s over from site %s to site %s, without a loss", strings.Join(services, ", "), f.Peer, f.Me)
	d.Plan.Steps = []api.PlannedStep{
		{Name: StepStop, Summary: "stop the programs at site " + f.Peer + ", which finish what they have begun", Touches: services,
			Repeatable: true, ExpectedSeconds: 15, TimeoutSeconds: 240},
		{Name: StepDemote, Summary: "let the databases of site " + f.Peer + " become standbys, whose tokens say exactly what they hold",
			Touches: services, Repeatable: true, ExpectedSeconds: 15, TimeoutSeconds: 240},
	}
	d.takeOver(f, services)
	if !f.PeerReachable {
		d.Blockers = append(d.Blockers, api.Blocker{Reason: api.ReasonStateUnknown,
			Message: "site " + f.Peer + " does not answer, and cannot hand over: wait until it does; if it is lost, use the mode Unplanned"})
	}
	if have := f.Following; have.HeldAllAt.IsZero() || f.Now.Sub(have.HeldAllAt) > freshFor {
		d.Blockers = append(d.Blockers, api.Blocker{Reason: api.ReasonStandbyNotReady,
			Message: "this site is not known to have all that site " + f.Peer + " has: wait until the replication has caught up"})
	}
}

func (d *Decision) unplanned(f Failover, services []string) {
	d.Plan.PredictedLoss = f.Loss(f.Following)
	d.Plan.Summary = fmt.Sprintf("take %s over from site %s to site %s; what this site never received is lost", strings.Join(services, ", "), f.Peer, f.Me)
	d.Plan.Inputs = append(d.Plan.Inputs, fmt.Sprintf("maxLoss: %d messages, %d seconds; unknown loss accepted: %t", f.Limit.Messages, f.Limit.Seconds, f.AcceptUnknown))
	d.Plan.Steps = []api.PlannedStep{{
		Name: StepStop, Summary: "have site " + f.Peer + " stop, or wait until its vote and what it was promised have run out: it then acknowledges nothing",
		Touches: services, Repeatable: true, ExpectedSeconds: 10, TimeoutSeconds: 240,
	}}
	d.takeOver(f, services)
	for i := range d.Plan.Steps {
		// What the other site alone holds does not come back by itself.
		d.Plan.Steps[i].Destructive = d.Plan.Steps[i].Name == StepPromote && f.Vote.Alone
	}
	if !f.PeerReachable {
		if b := f.Serving(); b != nil {
			d.Blockers = append(d.Blockers, *b)
		}
	}
	d.Blockers = append(d.Blockers, Within(d.Plan.PredictedLoss, f.Limit, f.AcceptUnknown)...)
}

func (d *Decision) takeOver(f Failover, services []string) {
	d.Plan.Steps = append(d.Plan.Steps,
		api.PlannedStep{Name: StepVote, Summary: fmt.Sprintf("put site %s on the witness's record, with epoch %d, in place of site %s", f.Me, f.Vote.Epoch+1, f.Peer),
			Touches: []string{"FailoverPolicy spine-system/" + api.FailoverPolicyName}, Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 120},
		// Before it serves: no other site does any more, and old answers are forgotten meanwhile.
		api.PlannedStep{Name: StepTraffic, Summary: "send clients to site " + f.Me, Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 300},
		api.PlannedStep{Name: StepPromote, Summary: "promote the databases of site " + f.Me + " and start its programs", Touches: slices.Clone(services),
			Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 600},
	)
}
