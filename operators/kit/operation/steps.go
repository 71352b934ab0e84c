// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// carryOn does what is next with an operation that runs.
func (e *Engine) carryOn(ctx context.Context, o *Operation, a Action) (time.Duration, error) {
	move, i := e.rules.next(o.Spec, o.Status)
	switch move {
	case moveAbort:
		s, when := &o.Status.Steps[i], "before"
		if s.State == api.StepRunning {
			at := metav1.NewTime(e.Now())
			s.State, s.Message, s.EndedAt, when = api.StepFailed, clip("interrupted: "+s.Message, maxMessage), &at, "during"
		}
		return e.end(ctx, o, api.PhaseAborted, fmt.Sprintf("aborted %s step %s: %d of %d steps were done",
			when, s.Name, i, len(o.Status.Steps)), e.Now())
	case moveVerify:
		return e.verify(ctx, o, a)
	case moveBegin:
		return e.begin(ctx, o, a, i)
	default:
		return e.look(ctx, o, a, i, move == moveResolve)
	}
}

// step as the action sees it.
func (o *Operation) step(i int) Step {
	s := Step{PlannedStep: o.Status.Plan.Steps[i], Memo: o.Status.Steps[i].Memo, Token: o.Status.FencingToken}
	if at := o.Status.Steps[i].StartedAt; at != nil {
		s.StartedAt = at.Time
	}
	return s
}

func (o *Operation) timeout(i int) time.Duration {
	return time.Duration(o.Status.Plan.Steps[i].TimeoutSeconds) * time.Second
}

// begin acts, if the leases are still held and nothing holds the step back. That the act
// begins is on record before it does.
func (e *Engine) begin(ctx context.Context, o *Operation, a Action, i int) (time.Duration, error) {
	s := &o.Status.Steps[i]
	err := e.rules.holds(ctx, e.Leases, keys(o), o.Holder, o.Status.FencingToken)
	var lost *lease.LostError
	switch {
	case errors.As(err, &lost):
		return e.fail(ctx, o, i, api.ReasonStepFailed, "nothing more is done, as another may act by now: "+err.Error())
	case err != nil:
		return 0, err
	}
	blockers, err := a.Before(ctx, o.step(i))
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if f, ok := isFailed(err); ok {
		return e.fail(ctx, o, i, api.ReasonStepFailed, f.Message)
	}
	if err != nil {
		blockers = []api.Blocker{unknown("whether the step is safe could not be found out: " + err.Error())}
	}
	now := metav1.NewTime(e.Now())
	if blockers = e.rules.held(merge(blockers)); len(blockers) > 0 {
		return e.wait(ctx, o, i, blockers, now)
	}
	s.State, s.Acted, s.Memo, s.Message, s.WaitingSince = api.StepRunning, false, "", "", nil
	s.Acts++
	if s.StartedAt == nil {
		s.StartedAt = &now
	}
	o.Status.Phase, o.Status.Blockers = api.PhaseRunning, nil
	o.Status.Message = fmt.Sprintf("step %d of %d: %s", i+1, len(o.Status.Steps), clip(o.Status.Plan.Steps[i].Summary, maxSentence))
	if err := e.save(ctx, o); err != nil {
		return 0, err
	}
	memo, err := a.Act(ctx, o.step(i))
	return e.acted(ctx, o, i, memo, err)
}

// wait records what holds a step back, for at most the step's timeout.
func (e *Engine) wait(ctx context.Context, o *Operation, i int, blockers []api.Blocker, now metav1.Time) (time.Duration, error) {
	s := &o.Status.Steps[i]
	if s.WaitingSince == nil {
		s.WaitingSince = &now
	}
	if e.rules.overdue(s.WaitingSince, o.timeout(i), now.Time) {
		o.Status.Blockers = blockers
		return e.fail(ctx, o, i, api.ReasonStepFailed, fmt.Sprintf("held back for more than %s: %s", o.timeout(i), said(blockers)))
	}
	s.Message = clip("waits: "+said(blockers), maxMessage)
	o.Status.Blockers, o.Status.Message = blockers, clip("step "+s.Name+" waits: "+said(blockers), maxMessage)
	return stepPace, e.save(ctx, o)
}

// acted records how an act ended. An act that returned an error may or may not have taken
// effect: it is as if it had been cut off.
func (e *Engine) acted(ctx context.Context, o *Operation, i int, memo string, err error) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	s := &o.Status.Steps[i]
	f, failed := isFailed(err)
	switch {
	case failed:
		return e.fail(ctx, o, i, api.ReasonStepFailed, f.Message)
	case err != nil && o.Status.Plan.Steps[i].Repeatable && e.rules.overdue(s.StartedAt, o.timeout(i), e.Now()):
		return e.tooLong(ctx, o, i, "the act failed: "+err.Error())
	case err != nil:
		s.Message = clip("the act failed, and is looked at again: "+err.Error(), maxMessage)
		return paceAfter(err), e.insist(ctx, o)
	case len(memo) > maxMessage:
		return e.fail(ctx, o, i, api.ReasonStepFailed, fmt.Sprintf("the step has to remember %d bytes: at most %d are expected", len(memo), maxMessage))
	}
	s.Acted, s.Memo = true, memo
	return again, e.insist(ctx, o)
}

// paceAfter is the time before an act that failed is looked at again. One that only lost against another writer of the same
// object has changed nothing, and what is there now is read anew: somebody may be without service meanwhile.
func paceAfter(err error) time.Duration {
	if apierrors.IsConflict(err) {
		return conflictPace
	}
	return retryPace
}

// look asks how far a step is, or, when its act was cut off, whether it took effect at all.
func (e *Engine) look(ctx context.Context, o *Operation, a Action, i int, cutOff bool) (time.Duration, error) {
	s := &o.Status.Steps[i]
	progress, err := a.Check(ctx, o.step(i))
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if f, ok := isFailed(err); ok {
		reason := api.ReasonStepFailed
		if cutOff {
			reason = api.ReasonStepUncertain
		}
		return e.fail(ctx, o, i, reason, f.Message)
	}
	if err != nil {
		progress = Progress{Message: "its state could not be read: " + err.Error()}
	}
	now := e.Now()
	switch {
	case progress.Done:
		at := metav1.NewTime(now)
		s.State, s.Message, s.EndedAt = api.StepSucceeded, clip(progress.Message, maxMessage), &at
		if err := e.insist(ctx, o); err != nil {
			return 0, err
		}
		e.Tell(News{Reason: "StepDone", Message: clip(s.Name+": "+s.Message, maxMessage)})
		return again, nil
	case cutOff && progress.NotActed && e.rules.overdue(s.StartedAt, o.timeout(i), now):
		return e.fail(ctx, o, i, api.ReasonStepFailed, fmt.Sprintf("its act took no effect within %s: %s", o.timeout(i), s.Message))
	case cutOff && progress.NotActed:
		s.State, s.Message = api.StepPending, clip("its act took no effect, and begins again: "+s.Message, maxMessage)
		return again, e.save(ctx, o)
	case e.rules.overdue(s.StartedAt, o.timeout(i), now):
		return e.tooLong(ctx, o, i, progress.Message)
	}
	s.Message = clip(progress.Message, maxMessage)
	return stepPace, e.save(ctx, o)
}

// tooLong fails a step; whether its act took effect is uncertain while it is not known to
// have returned, unless it does no harm to repeat it.
func (e *Engine) tooLong(ctx context.Context, o *Operation, i int, last string) (time.Duration, error) {
	s := &o.Status.Steps[i]
	if !s.Acted && !o.Status.Plan.Steps[i].Repeatable {
		return e.fail(ctx, o, i, api.ReasonStepUncertain, fmt.Sprintf(
			"its act was cut off, must not be repeated, and it is still not known after %s whether it took effect: %s", o.timeout(i), last))
	}
	return e.fail(ctx, o, i, api.ReasonStepFailed, fmt.Sprintf("not done after %s: %s", o.timeout(i), last))
}
