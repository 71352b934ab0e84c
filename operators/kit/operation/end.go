// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// verify waits until the whole is well again after the last step.
func (e *Engine) verify(ctx context.Context, o *Operation, a Action) (time.Duration, error) {
	s := o.Status
	// Each call gets the evidence as it was after the last step: notes are not added twice.
	evidence := s.Evidence.DeepCopy()
	progress, err := a.Verify(ctx, s.StartedAt.Time, evidence)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	now := e.Now()
	f, failed := isFailed(err)
	last := s.Steps[len(s.Steps)-1].EndedAt
	switch {
	case failed:
		s.Evidence = bounded(evidence)
		return e.broken(ctx, o, f.Message, now)
	case err != nil:
		progress = Progress{Message: "whether all is well could not be found out: " + err.Error()}
	case progress.Done:
		s.Evidence = bounded(evidence)
		if s.Evidence.RecoverySeconds == nil {
			s.Evidence.RecoverySeconds = ptr.To(int64(now.Sub(s.StartedAt.Time).Round(time.Second) / time.Second))
		}
		return e.end(ctx, o, api.PhaseSucceeded, progress.Message, now)
	}
	if e.rules.overdue(last, verifyLimit, now) {
		s.Evidence = bounded(evidence)
		return e.broken(ctx, o, fmt.Sprintf("all steps were done, but not all is well %s after the last: %s", verifyLimit, progress.Message), now)
	}
	s.Phase, s.Message = api.PhaseVerifying, clip("all steps are done; "+progress.Message, maxMessage)
	return verifyPace, e.save(ctx, o)
}

// bounded keeps evidence to what the API stores.
func bounded(v *api.Evidence) *api.Evidence {
	v.Notes = v.Notes[:min(len(v.Notes), maxSteps)]
	for i := range v.Notes {
		v.Notes[i] = clip(v.Notes[i], maxSentence)
	}
	return v
}

// fail ends a step and the operation with it.
func (e *Engine) fail(ctx context.Context, o *Operation, i int, reason, message string) (time.Duration, error) {
	now := e.Now()
	s, at := &o.Status.Steps[i], metav1.NewTime(now)
	s.State, s.Message, s.EndedAt = api.StepFailed, clip(message, maxMessage), &at
	message = clip("step "+s.Name+": "+message, maxMessage)
	// What held it back stays visible beside why it failed.
	o.Status.Blockers = merge(append([]api.Blocker{{Reason: reason, Message: message}}, o.Status.Blockers...))
	return e.end(ctx, o, api.PhaseFailed, message, now)
}

// broken ends an operation whose steps were all done.
func (e *Engine) broken(ctx context.Context, o *Operation, message string, now time.Time) (time.Duration, error) {
	o.Status.Blockers = []api.Blocker{{Reason: api.ReasonStepFailed, Message: clip(message, maxMessage)}}
	return e.end(ctx, o, api.PhaseFailed, message, now)
}

// end is the last that happens to an operation, besides giving back its leases.
func (e *Engine) end(ctx context.Context, o *Operation, phase api.Phase, message string, now time.Time) (time.Duration, error) {
	at := metav1.NewTime(now)
	o.Status.Phase, o.Status.Message, o.Status.EndedAt = phase, clip(message, maxMessage), &at
	if phase != api.PhaseFailed {
		o.Status.Blockers = nil
	}
	if err := e.insist(ctx, o); err != nil {
		return 0, err
	}
	e.Tell(News{Warning: phase != api.PhaseSucceeded, Reason: string(phase), Message: clip(string(o.Action)+": "+o.Status.Message, maxMessage)})
	return again, nil
}

// release gives the leases of an ended operation back. Its targets cool down if it acted.
func (e *Engine) release(ctx context.Context, o *Operation) (time.Duration, error) {
	s := o.Status
	if len(s.Leases) == 0 {
		return 0, nil
	}
	var until *time.Time
	for _, step := range s.Steps {
		if step.Acts > 0 && s.EndedAt != nil {
			until = ptr.To(s.EndedAt.Add(e.Policy.CoolDown.Duration))
		}
	}
	if err := e.giveBack(ctx, o, until); err != nil {
		return 0, err
	}
	s.Leases = nil
	return again, e.save(ctx, o)
}

// giveBack frees what leases the operation has. The site's does not cool down: it keeps
// operations on different targets one after the other, no more.
func (e *Engine) giveBack(ctx context.Context, o *Operation, until *time.Time) error {
	site := lease.Key(lease.Site, "")
	return e.Leases.Release(ctx, keys(o), o.Holder, func(key client.ObjectKey) time.Time {
		if until == nil || key == site {
			return time.Time{}
		}
		return *until
	})
}
