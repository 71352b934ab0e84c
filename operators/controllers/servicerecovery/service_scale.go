// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// scale is the action ScaleOut.
type scale struct{ onService }

func newScale(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &scale{onService{Reconciler: r, operation: o}}
	a.decide = func(_ context.Context, l *look) (recovery.Decision, error) {
		return recovery.PlanScale(a.facts(l)), nil
	}
	return a
}

func (a *scale) facts(l *look) recovery.Scale {
	f := recovery.Scale{
		Service: l.service, Object: l.ref, Program: l.part,
		Deployment: recovery.Object{Kind: "Deployment", Namespace: l.ref.Namespace, Name: l.program},
		Specified:  l.specified, Now: l.replicas, Wanted: a.operation.Spec.Replicas, Most: l.capacity,
	}
	if l.deployment != nil {
		f.Updating = l.deployment.Status.UpdatedReplicas < l.deployment.Status.Replicas
	}
	return f
}

// Act implements operation.Action. The service's own controller rests while the operation
// runs, so the Deployment is scaled here: to the number that the controller arrives at, too.
func (a *scale) Act(ctx context.Context, step operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	f := a.facts(l)
	if step.Name == recovery.StepRecordReplicas {
		value := strconv.Itoa(int(f.Wanted))
		if f.Ends() {
			value = ""
		}
		return "", a.annotate(ctx, l.object, common.ReplicasAnnotation, value)
	}
	switch {
	case l.deployment == nil:
		return "", operation.Failed("Deployment %s is gone: there is nothing to scale", l.program)
	case ptr.Deref(l.deployment.Spec.Replicas, 1) == f.Wanted:
		return "", nil
	}
	return "", a.patch(ctx, l.deployment, map[string]any{"spec": map[string]any{"replicas": f.Wanted}})
}

// Check implements operation.Action.
func (a *scale) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	f := a.facts(l)
	if f.Now != f.Wanted {
		return operation.Progress{}, operation.Failed("%s asks for %d replicas by now, not %d: its specification or its annotation %s was changed; make another plan", l.ref.Touch(), f.Now, f.Wanted, common.ReplicasAnnotation)
	}
	if step.Name == recovery.StepRecordReplicas {
		return operation.Progress{Done: true, Message: fmt.Sprintf("%d replicas are recorded", f.Wanted)}, nil
	}
	if l.deployment == nil {
		return operation.Progress{Message: "Deployment " + l.program + " is gone"}, nil
	}
	done := rolled(l.deployment) && *l.deployment.Spec.Replicas == f.Wanted
	return operation.Progress{Done: done, Message: fmt.Sprintf("%d of %d replicas are available", l.deployment.Status.AvailableReplicas, f.Wanted)}, nil
}
