// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// action is one Failover. What it needs to know after a restart is in the world: the vote, the
// policies of both sites, and the operation's own steps.
type action struct {
	*Reconciler
	operation *api.Failover
}

// gather reads everything that decisions rest on.
func (a *action) gather(ctx context.Context) (*situation, error) {
	s := &situation{now: a.Clock.Now(), policy: &api.FailoverPolicy{}}
	key := client.ObjectKey{Namespace: SystemNamespace, Name: api.FailoverPolicyName}
	if err := a.Reader.Get(ctx, key, s.policy); err != nil {
		return nil, fmt.Errorf("FailoverPolicy %s: %w", key.Name, err)
	}
	var err error
	if s.own, err = services(ctx, a.Reader, s.policy); err != nil {
		return nil, err
	}
	if s.vote = ask(ctx, a.Witness); s.vote != nil && s.vote.Site == string(s.policy.Spec.Site) {
		return s, nil // the other site has no part in it any more
	}
	limit := patience
	if !s.policy.Status.Peer.Reachable {
		limit = doubt
	}
	s.other = visit(ctx, a.Peer, s.policy, limit)
	return s, nil
}

// Plan implements operation.Action.
func (a *action) Plan(ctx context.Context) (operation.Planned, error) {
	// An unplanned one waits for no change window, and for no rest: it takes the site's lease all the same.
	planned := operation.Planned{Resources: []string{"failover", lease.Site}, Disruptive: a.operation.Spec.Mode == api.FailoverPlanned}
	s, err := a.gather(ctx)
	if client.IgnoreNotFound(err) == nil && err != nil {
		planned.Blockers = []api.Blocker{{Reason: api.ReasonTargetNotFound, Message: "this site has no pair to fail over in: " + err.Error()}}
		return planned, nil
	}
	if err != nil {
		return planned, err
	}
	d := decide.Plan(s.failover(a.operation.Name, &a.operation.Spec))
	planned.Plan, planned.Blockers, planned.Backlog = d.Plan, d.Blockers, left(s.other)
	return planned, nil
}

// left is the backlog of the site that is left; nil when it is not known.
func left(other *ports.PeerSite) *int64 {
	if other == nil {
		return nil
	}
	var counts []int64
	for _, p := range other.Services {
		counts = append(counts, p.Backlog)
	}
	return sum(counts)
}

// sum of what services counted; nil when one of them did not.
func sum(counts []int64) *int64 {
	out := ptr.To(int64(0))
	for _, n := range counts {
		if n < 0 {
			return nil
		}
		*out += n
	}
	return out
}

// Before implements operation.Action: what was checked for the plan is checked again before
// the vote is taken, in the real run just as in the dry run.
func (a *action) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	s, err := a.gather(ctx)
	if err != nil {
		return nil, err
	}
	f := s.failover(a.operation.Name, &a.operation.Spec)
	if s.vote != nil && s.vote.Site == f.Me {
		return nil, nil // the vote is here: there is no way back, only on
	}
	if step.Name == decide.StepStop {
		return nil, a.same(s)
	}
	if step.Name != decide.StepVote {
		return nil, nil
	}
	if err := a.same(s); err != nil {
		return nil, err
	}
	var out []api.Blocker
	if b := f.Serving(); b != nil {
		out = append(out, *b)
	}
	if f.Mode == api.FailoverUnplanned && s.vote != nil {
		out = append(out, decide.Within(f.Loss(f.Following), f.Limit, f.AcceptUnknown)...)
	}
	return out, nil
}

// same fails when the vote is not the one that the plan was made for.
func (a *action) same(s *situation) error {
	planned := a.operation.Status.Plan.Inputs[0]
	if s.vote == nil {
		return nil // Serving says so, and waits
	}
	if now := decide.VoteInput(*s.vote); now != planned {
		return operation.Failed("the witness has another vote on record than the plan was made for (%s; planned: %s): make another plan", now, planned)
	}
	return nil
}

// Act implements operation.Action.
func (a *action) Act(ctx context.Context, step operation.Step) (string, error) {
	s, err := a.gather(ctx)
	if err != nil {
		return "", err
	}
	switch step.Name {
	case decide.StepStop:
		return "", a.handOver(ctx, s, common.SiteQuiesced)
	case decide.StepDemote:
		return "", a.handOver(ctx, s, common.SiteStandby)
	case decide.StepVote:
		return "", a.takeVote(ctx, s)
	case decide.StepTraffic:
		return "", a.send(ctx, s)
	}
	return "", nil // the site promotes itself: it has the vote
}

// Check implements operation.Action.
func (a *action) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	s, err := a.gather(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	switch step.Name {
	case decide.StepStop:
		return a.stopped(ctx, s)
	case decide.StepDemote:
		return a.demoted(ctx, s)
	case decide.StepVote:
		return a.voted(ctx, s)
	case decide.StepPromote:
		return promoted(s)
	}
	return a.moved(ctx, s)
}

// Verify implements operation.Action: the deep probes of all services get through, and the
// backlog is known and not larger than it was.
func (a *action) Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (operation.Progress, error) {
	s, err := a.gather(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	for _, p := range s.own {
		if failure := deepprobe.Failure(ctx, a.Prober, p.patience, p.ops); failure != "" {
			return operation.Progress{Message: p.name + ": " + failure}, nil
		}
	}
	var counts []int64
	for _, p := range s.own {
		counts = append(counts, p.count(ctx, a.Prober))
	}
	now := sum(counts)
	switch {
	case now == nil:
		return operation.Progress{Message: "not every service has counted its backlog here yet"}, nil
	case evidence.BacklogBefore != nil && *now > *evidence.BacklogBefore+settling:
		return operation.Progress{Message: fmt.Sprintf("%d messages and events wait, %d did before", *now, *evidence.BacklogBefore)}, nil
	}
	evidence.BacklogAfter = now
	a.account(s, evidence)
	return operation.Progress{Done: true, Message: fmt.Sprintf("site %s serves; requests get through all of %s", s.policy.Spec.Site, strings.Join(names(s.own), ", "))}, nil
}

// settling is how much work may be on its way at any time.
const settling = 1000

func names(own []*paired) []string {
	var out []string
	for _, p := range own {
		out = append(out, p.name)
	}
	return out
}
