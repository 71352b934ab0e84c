// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"time"

	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// onService is what the actions on a service have in common. An action overrides what it
// does differently.
type onService struct {
	*Reconciler
	operation *api.ServiceRecovery
	// decide reads what the action rests on beyond the service, and plans.
	decide func(ctx context.Context, l *look) (recovery.Decision, error)
	// disruptive actions take members away or stop deliveries; afterwards every part has to be whole.
	disruptive bool
	// added is the work that the action itself put back.
	added func() int64
	// notes for the evidence, once the service is whole.
	notes func() []string
}

func (a *onService) look(ctx context.Context) (*look, error) {
	l, err := a.Reconciler.look(ctx, a.operation)
	if l == nil && err == nil {
		return nil, operation.Failed("%s %s is gone: the operation has nothing left to act on", a.operation.Spec.Service.Kind, a.operation.Spec.Service.Name)
	}
	return l, err
}

// Plan implements operation.Action.
func (a *onService) Plan(ctx context.Context) (operation.Planned, error) {
	ref := a.operation.Spec.Service
	planned := operation.Planned{Resources: []string{"service-" + ref.Name}, Disruptive: a.disruptive}
	l, err := a.Reconciler.look(ctx, a.operation)
	if err != nil {
		return planned, err
	}
	d := recovery.Missing(ref.Kind, a.operation.Namespace, ref.Name)
	switch {
	case l != nil && l.asleep:
		d = recovery.Asleep(ref.Kind, a.operation.Namespace, ref.Name)
	case l != nil:
		planned.Backlog = l.service.Backlog
		if d, err = a.decide(ctx, l); err != nil {
			return planned, err
		}
	}
	planned.Plan, planned.Blockers = d.Plan, d.Blockers
	return planned, nil
}

// Before implements operation.Action for actions that take nobody away.
func (a *onService) Before(context.Context, operation.Step) ([]api.Blocker, error) { return nil, nil }

// Verify implements operation.Action: the deep probe gets through every replica, the parts
// are whole after an action that took members away, and the backlog is back.
func (a *onService) Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	o := recovery.Outcome{Before: evidence.BacklogBefore, Elapsed: a.Clock.Since(started)}
	if o.ProbeFailure, err = a.probe(ctx, l.target); err != nil {
		return operation.Progress{}, err
	}
	if a.disruptive {
		o.Members = l.service.Parts
	}
	if a.added != nil {
		o.Added = a.added()
	}
	if l.status != nil {
		o.Now, o.Oldest = &l.status.backlog, l.status.oldest
	}
	done, message := recovery.Whole(o)
	if done {
		evidence.BacklogAfter = ptr.To(*o.Now)
		if a.notes != nil {
			evidence.Notes = append(evidence.Notes, a.notes()...)
		}
	}
	return operation.Progress{Done: done, Message: message}, nil
}

// probe sends a request through the whole path by way of any replica, as a client would,
// and of each: one that works must not hide one that does not.
func (a *onService) probe(ctx context.Context, t *target) (string, error) {
	replicas, err := a.replicasOf(ctx, t)
	if err != nil {
		return "", err
	}
	return deepprobe.Failure(ctx, a.Prober, t.patience, append([]ports.Target{t.ops}, replicas...)...), nil
}

// step is what status says of a step; nil before it began.
func (a *onService) step(name string) *api.StepStatus {
	for i := range a.operation.Status.Steps {
		if a.operation.Status.Steps[i].Name == name {
			return &a.operation.Status.Steps[i]
		}
	}
	return nil
}
