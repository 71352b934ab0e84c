// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/host"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// drain moves everything off a host.
type drain struct{ onHost }

func newDrain(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	return &drain{onHost{Reconciler: r, operation: o}}
}

// Plan implements operation.Action.
func (a *drain) Plan(ctx context.Context) (operation.Planned, error) {
	l, err := a.counted(ctx)
	if err != nil {
		return operation.Planned{}, err
	}
	p := a.planned(ctx, l, host.PlanDrain(l.Facts))
	p.Disruptive = true
	return p, nil
}

// Before implements operation.Action: counted anew for each step.
func (a *drain) Before(ctx context.Context, _ operation.Step) ([]api.Blocker, error) {
	l, err := a.counted(ctx)
	if err != nil {
		return nil, err
	}
	if l.node == nil {
		return nil, a.gone()
	}
	return l.BeforeDrain(), nil
}

// Act implements operation.Action. Pods are asked to go in Check, again and again, as their
// budgets let them go one after the other.
func (a *drain) Act(ctx context.Context, step operation.Step) (string, error) {
	if step.Name != host.StepCordon {
		return "", nil
	}
	return "", a.changeNode(ctx, func(n *corev1.Node) map[string]any {
		if n.Spec.Unschedulable {
			return nil
		}
		return map[string]any{"unschedulable": true}
	})
}

// Check implements operation.Action.
func (a *drain) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.found(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	switch {
	case step.Name == host.StepCordon:
		return operation.Progress{Done: l.node.Spec.Unschedulable, Message: "no new pods are let in"}, nil
	case !strings.HasPrefix(step.Name, host.StepMove):
		return operation.Progress{}, unknownStep(step.Name)
	case !l.node.Spec.Unschedulable:
		return operation.Progress{}, operation.Failed("host %s lets pods in again: somebody has taken it back into service", a.name())
	}
	var left []string
	for i := range l.pods {
		p := &l.pods[i]
		if !movable(p) || !slices.Contains(step.Touches, "Pod "+p.Namespace+"/"+p.Name) {
			continue
		}
		left = append(left, p.Namespace+"/"+p.Name)
		if p.DeletionTimestamp.IsZero() {
			if err := a.end(ctx, p, nil); err != nil {
				return operation.Progress{}, fmt.Errorf("pod %s/%s: %w", p.Namespace, p.Name, err)
			}
		}
	}
	if len(left) == 0 {
		return operation.Progress{Done: true, Message: "they are gone from host " + a.name()}, nil
	}
	return operation.Progress{Message: "still there: " + strings.Join(left, ", ")}, nil
}
