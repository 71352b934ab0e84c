// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// prepare plans, and begins a real run once nothing blocks it. Dry runs and real runs take
// the same way; the last plan of a real run is made while its leases are held.
func (e *Engine) prepare(ctx context.Context, o *Operation, a Action) (time.Duration, error) {
	now := e.Now()
	s := o.Status
	switch {
	case o.Spec.Abort:
		return e.end(ctx, o, api.PhaseAborted, "aborted before its first step", now)
	case o.dryRun() && s.Phase == api.PhasePlanned && s.ObservedGeneration == o.Generation:
		return 0, nil
	case !o.dryRun() && s.AskedAt == nil:
		at := metav1.NewTime(now)
		s.AskedAt, s.Phase, s.Message = &at, api.PhasePlanning, "planning the real run"
		return again, e.save(ctx, o)
	}
	var token int64
	if len(s.Leases) > 0 {
		t, refusal, err := e.Leases.Acquire(ctx, lease.Claim{Keys: keys(o), Me: o.Holder, Rested: s.Plan != nil && s.Plan.Disruptive, Now: now})
		if err != nil {
			return 0, err
		}
		if refusal != nil {
			return e.block(ctx, o, s.Plan, []api.Blocker{refused(*refusal)}, now)
		}
		token = t
	}
	d, err := e.decide(ctx, o, a, now)
	if err != nil {
		return 0, err
	}
	switch {
	case len(d.left) > 0:
		return e.block(ctx, o, d.plan, d.left, now)
	case o.dryRun():
		s.Phase, s.Plan, s.Blockers, s.Message = api.PhasePlanned, d.plan, nil, clip(planned(d), maxMessage)
		return 0, e.save(ctx, o)
	case len(s.Leases) == 0:
		// Recorded before they are taken, so that they are given back whatever happens between.
		s.Phase, s.Plan, s.Blockers, s.Message = api.PhasePlanning, d.plan, nil, "taking the leases"
		s.Leases = d.resources
		return again, e.save(ctx, o)
	case !slices.Equal(s.Leases, d.resources):
		if err := e.giveBack(ctx, o, nil); err != nil {
			return 0, err
		}
		s.Leases = nil
		return again, e.save(ctx, o)
	}
	return e.start(ctx, o, d, token, now)
}

// decision is what planning came to.
type decision struct {
	// plan that was made; nil when none could be.
	plan *api.Plan
	// planned is what the action said.
	planned Planned
	// resources to take the leases of, and the approval to use, if one is needed.
	resources []string
	approval  *api.Approval
	// rests is until when the target of a dry run rests: nothing that keeps its plan from being
	// read meanwhile. Zero: it does not.
	rests time.Time
	// left are the blockers that hold, waived those that break-glass does away with.
	left, waived []api.Blocker
}

// decide plans and gathers everything that blocks: first what the action knows, then what
// the rules of the environment say. What cannot be read blocks; an error is only that the
// operator ends.
func (e *Engine) decide(ctx context.Context, o *Operation, a Action, now time.Time) (decision, error) {
	made, err := a.Plan(ctx)
	if ctx.Err() != nil {
		return decision{}, ctx.Err()
	}
	d := decision{planned: made}
	if err == nil && len(made.Blockers) > 0 && len(made.Plan.Steps) == 0 {
		d.left = merge(made.Blockers)
		return d, nil
	}
	if err == nil {
		d.plan, err = e.complete(o, made, now)
	}
	if err != nil {
		d.left = []api.Blocker{unknown("the plan could not be made: " + err.Error())}
		return d, nil
	}
	d.resources = e.rules.resources(made)
	blockers := slices.Clone(made.Blockers)
	agreed := e.rules.agreed(o.Spec.PlanDigest, d.plan.Digest)
	if !o.dryRun() && !agreed {
		blockers = append(blockers, planChanged(o.Spec.PlanDigest, d.plan.Digest))
	}
	claim := lease.Claim{Keys: leaseKeys(d.resources, o.Holder.Namespace), Me: o.Holder, Rested: made.Disruptive, Now: now}
	refusal, err := e.Leases.Look(ctx, claim)
	if err == nil && refusal != nil && refusal.Holder == nil && o.dryRun() {
		d.rests, claim.Rested = refusal.Until, false
		refusal, err = e.Leases.Look(ctx, claim)
	}
	switch {
	case err != nil:
		blockers = append(blockers, unknown("whether another operation is at work could not be found out: "+err.Error()))
	case refusal != nil:
		blockers = append(blockers, refused(*refusal))
	}
	if open, begins := e.Policy.WindowOpen(now); made.Disruptive && !open {
		blockers = append(blockers, windowClosed(begins))
	}
	if !o.dryRun() && agreed && d.plan.NeedsApproval {
		blockers = append(blockers, e.approval(ctx, o, &d, now)...)
	}
	d.left, d.waived = e.rules.waive(merge(blockers), o.Spec.BreakGlass)
	return d, ctx.Err()
}

// approval finds the approval to use, or what blocks instead.
func (e *Engine) approval(ctx context.Context, o *Operation, d *decision, now time.Time) []api.Blocker {
	all, err := e.Approvals(ctx, o.Holder.Namespace)
	if err != nil {
		return []api.Blocker{unknown("approvals could not be read: " + err.Error())}
	}
	approval, missing := e.rules.approved(all, approvalOf{
		kind: o.Holder.Kind, name: o.Holder.Name, created: o.Created,
		requester: o.Spec.RequestedBy, digest: d.plan.Digest, maxAge: e.Policy.MaxApprovalAge.Duration,
	}, now)
	if missing != nil {
		return []api.Blocker{*missing}
	}
	d.approval = approval
	return nil
}

// block records what holds the operation back. Leases that it may have are given back first:
// what waits must not keep others from acting.
func (e *Engine) block(ctx context.Context, o *Operation, plan *api.Plan, left []api.Blocker, now time.Time) (time.Duration, error) {
	s := o.Status
	if err := e.giveBack(ctx, o, nil); err != nil {
		return 0, err
	}
	s.Leases, s.Blockers = nil, left
	if plan != nil {
		s.Plan = plan // otherwise the last that could be made stays to be read
	}
	if !o.dryRun() && e.rules.expired(left, s.AskedAt.Time, now) {
		return e.end(ctx, o, api.PhaseAborted, "nothing was done: it waited too long to begin; last for this: "+left[0].Message, now)
	}
	s.Phase = api.PhaseBlocked
	if only(left, api.ReasonApprovalMissing, api.ReasonApprovalExpired) {
		s.Phase = api.PhaseAwaitingApproval
	}
	s.Message = clip(said(left), maxMessage)
	if o.dryRun() && now.Sub(o.Created) > dryRunLife {
		return 0, e.save(ctx, o)
	}
	if !slices.ContainsFunc(left, func(b api.Blocker) bool { return !b.Waivable }) {
		return peoplePace, e.save(ctx, o)
	}
	return blockedPace, e.save(ctx, o)
}

// start freezes the plan and begins.
func (e *Engine) start(ctx context.Context, o *Operation, d decision, token int64, now time.Time) (time.Duration, error) {
	s := o.Status
	at := metav1.NewTime(now)
	s.Phase, s.Plan, s.Blockers, s.FencingToken, s.StartedAt = api.PhaseRunning, d.plan, nil, token, &at
	s.Message = fmt.Sprintf("%d steps to do", len(d.plan.Steps))
	s.Evidence = &api.Evidence{PredictedLoss: d.plan.PredictedLoss, BacklogBefore: d.planned.Backlog}
	s.Steps = nil
	for _, step := range d.plan.Steps {
		s.Steps = append(s.Steps, api.StepStatus{Name: step.Name, State: api.StepPending})
	}
	if d.approval != nil {
		s.Approval = d.approval.Name + " by " + d.approval.Spec.Approver
	}
	if len(d.waived) > 0 {
		note := "break glass: went on without " + reasons(d.waived) + ": " + o.Spec.BreakGlass.Reason
		s.Evidence.Notes = append(s.Evidence.Notes, clip(note, maxSentence))
		// Before the write: told twice, after a crash, is better than never.
		e.Tell(News{Warning: true, Reason: "BreakGlass", Message: fmt.Sprintf("%s by %s %s", o.Action, o.Spec.RequestedBy, note)})
	}
	if err := e.save(ctx, o); err != nil {
		return 0, err
	}
	e.Tell(News{Reason: "Started", Message: fmt.Sprintf("%s by %s began: %s", o.Action, o.Spec.RequestedBy, d.plan.Summary)})
	return again, nil
}

func planned(d decision) string {
	p := d.plan
	message := fmt.Sprintf("dry run: %d steps, about %s; nothing was changed. Run it with dryRun false and planDigest %s",
		len(p.Steps), time.Duration(p.ExpectedSeconds)*time.Second, p.Digest)
	if p.NeedsApproval {
		message += ", once another person has approved that digest"
	}
	if !d.rests.IsZero() {
		message += "; it begins after " + d.rests.UTC().Format(time.RFC3339) + ", as its target rests from another operation until then"
	}
	return message
}

// isFailed returns the action's own word that no retry would help.
func isFailed(err error) (*FailedError, bool) {
	var f *FailedError
	ok := errors.As(err, &f)
	return f, ok
}

func reasons(blockers []api.Blocker) string {
	var out []string
	for _, b := range blockers {
		out = append(out, b.Reason)
	}
	return strings.Join(out, ", ")
}
