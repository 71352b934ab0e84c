// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/host"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// comeback takes a host back into service.
type comeback struct{ onHost }

func newReturn(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	return &comeback{onHost{Reconciler: r, operation: o, whole: true}}
}

// Plan implements operation.Action. It adds members, so it does not wait for the change
// window, but for its turn in the site.
func (a *comeback) Plan(ctx context.Context) (operation.Planned, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Planned{}, err
	}
	var power host.Power
	if l.node != nil && !nodeReady(l.node) {
		power = a.power(ctx, l.node)
	}
	p := a.planned(ctx, l, host.PlanReturn(l.Facts, power))
	p.Resources = append(p.Resources, "site")
	return p, nil
}

// Before implements operation.Action.
func (a *comeback) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	l, err := a.found(ctx)
	if err != nil || step.Name != host.StepPowerOn {
		return nil, err
	}
	if power := a.power(ctx, l.node); power.Problem != "" {
		return []api.Blocker{{Reason: api.ReasonHostUnmanaged, Message: power.Problem}}, nil
	}
	return nil, nil
}

// Act implements operation.Action.
func (a *comeback) Act(ctx context.Context, step operation.Step) (string, error) {
	switch step.Name {
	case host.StepPowerOn:
		m, err := a.Power.State(ctx, a.name())
		if err == nil && m.Power == ports.PowerOff {
			err = a.Power.On(ctx, a.name())
		}
		return "", refusedForGood(err)
	case host.StepAwait:
		return "", nil
	case host.StepAdmit:
		return "", a.changeNode(ctx, admission)
	}
	return "", unknownStep(step.Name)
}

// admission lets pods run on a node again; nil when they may.
func admission(n *corev1.Node) map[string]any {
	if !fenced(n) && !n.Spec.Unschedulable {
		return nil
	}
	taints := slices.DeleteFunc(slices.Clone(n.Spec.Taints), func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
	return map[string]any{"unschedulable": nil, "taints": taints}
}

// Check implements operation.Action.
func (a *comeback) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	switch step.Name {
	case host.StepPowerOn:
		m, err := a.Power.State(ctx, a.name())
		if err != nil {
			return operation.Progress{}, err
		}
		return operation.Progress{Done: m.Power == ports.PowerOn, Message: fmt.Sprintf("the management controller says that the power is %s", m.Power)}, nil
	case host.StepAwait:
		return a.well(ctx)
	case host.StepAdmit:
		l, err := a.found(ctx)
		if err != nil {
			return operation.Progress{}, err
		}
		return operation.Progress{Done: admission(l.node) == nil, Message: "pods may run on it"}, nil
	}
	return operation.Progress{}, unknownStep(step.Name)
}

// well: the host is ready, with a fresh heartbeat, and so are its static pods and those of
// DaemonSets: without the network's or the store's it would take pods that cannot work.
func (a *comeback) well(ctx context.Context) (operation.Progress, error) {
	l, err := a.found(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	alive, err := a.alive(ctx, l)
	if err != nil {
		return operation.Progress{}, err
	}
	if !alive {
		return operation.Progress{Message: fmt.Sprintf("host %s is not ready", a.name())}, nil
	}
	for i := range l.pods {
		if p := &l.pods[i]; !movable(p) && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed && !kit.PodReady(p) {
			return operation.Progress{Message: fmt.Sprintf("pod %s/%s on host %s is not ready", p.Namespace, p.Name, a.name())}, nil
		}
	}
	return operation.Progress{Done: true, Message: fmt.Sprintf("host %s is ready", a.name())}, nil
}
