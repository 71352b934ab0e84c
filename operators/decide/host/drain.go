// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Steps of DrainHost. Those that move pods are StepMove and a number.
const (
	StepCordon = "cordon"
	StepMove   = "move-"
)

const (
	maxTouches = 32
	// slack is what a step may take beyond the pods' own grace, in seconds: budgets are
	// waited for, and a database's primary is handed over first.
	slack = 600
)

// PlanDrain moves everything off a host that works, for planned work.
func PlanDrain(f Facts) Decision {
	n := f.Node()
	switch {
	case n == nil:
		return f.missing()
	case n.Fenced:
		return blocked(api.ReasonNotApplicable, "host %s was put out of service already", f.Host)
	case !n.Ready:
		return blocked(api.ReasonNotApplicable, "host %s is not ready, so pods on it cannot be ended in good order: if it has failed, use FenceHost", f.Host)
	}
	steps := []api.PlannedStep{{
		Name: StepCordon, Summary: "let no new pods onto host " + f.Host, Touches: []string{"Node " + f.Host},
		Repeatable: true, ExpectedSeconds: 1, TimeoutSeconds: 60,
	}}
	moves := f.moves()
	if len(moves) > 62 {
		return blocked(api.ReasonNotApplicable, "host %s has %d pods, more than a plan holds: move some of them first", f.Host, len(f.Pods))
	}
	for i, group := range moves {
		var grace, expected int32
		var names []string
		for _, p := range group {
			grace, expected = max(grace, p.GraceSeconds), expected+2
			names = append(names, "Pod "+p.String())
		}
		what := fmt.Sprintf("%d pods", len(group))
		if len(group) == 1 {
			what = group[0].String()
		}
		steps = append(steps, api.PlannedStep{
			Name: fmt.Sprintf("%s%d", StepMove, i+1), Summary: fmt.Sprintf("have %s end in good order, as budgets allow, within %d s of grace", what, grace),
			Touches: names, Repeatable: true, ExpectedSeconds: expected + 10, TimeoutSeconds: grace + slack,
		})
	}
	d := Decision{Plan: api.Plan{
		Summary: fmt.Sprintf("move %d pods off host %s and let no new ones onto it; members that cannot move wait for its return", len(f.Pods), f.Host),
		Steps:   steps,
	}}
	d.Blockers = f.BeforeDrain()
	return d
}

// BeforeDrain says what holds each step of a drain back.
func (f Facts) BeforeDrain() []api.Blocker {
	return append(f.others(api.ReasonQuorumAtRisk, Node.serves), f.oneAway()...)
}

// moves groups the pods: first those that are no quorum's, together, then one by one.
func (f Facts) moves() [][]Pod {
	quorums := map[string]bool{}
	for _, p := range f.Parts {
		for _, m := range p.Members {
			quorums[m.Pod] = p.Quorum
		}
	}
	pods := slices.Clone(f.Pods)
	slices.SortFunc(pods, func(a, b Pod) int { return strings.Compare(a.String(), b.String()) })
	var together, alone [][]Pod
	for _, p := range pods {
		last := len(together) - 1
		switch {
		case quorums[p.String()]:
			alone = append(alone, []Pod{p})
		case last < 0 || len(together[last]) == maxTouches:
			together = append(together, []Pod{p})
		default:
			together[last] = append(together[last], p)
		}
	}
	return append(together, alone...)
}
