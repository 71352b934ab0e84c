// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/host"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// fence switches a host off and releases what it holds.
type fence struct{ onHost }

func newFence(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	return &fence{onHost{Reconciler: r, operation: o}}
}

// Plan implements operation.Action. Fencing never waits for the change window. What a person
// asks for waits its turn in the site; what the manager does for a host that is dead does not:
// it takes nothing away that an operation on a service could still use.
func (a *fence) Plan(ctx context.Context) (operation.Planned, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Planned{}, err
	}
	alive, err := a.serving(ctx, l)
	if err != nil {
		return operation.Planned{}, err
	}
	p := a.planned(ctx, l, host.PlanFence(l.Facts, a.power(ctx, l.node), alive))
	if !a.own() {
		p.Resources = append(p.Resources, "site")
	}
	return p, nil
}

// serving says that the host would be taken away from what it serves. The manager fences
// only hosts of which it knows, by more than the API's word, that they do not.
func (a *fence) serving(ctx context.Context, l *hostLook) (bool, error) {
	if a.own() {
		return false, nil
	}
	return a.alive(ctx, l)
}

// Before implements operation.Action.
func (a *fence) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	l, err := a.found(ctx)
	if err != nil {
		return nil, err
	}
	power := a.power(ctx, l.node)
	if step.Name == host.StepRelease {
		return host.BeforeRelease(a.name(), power), nil
	}
	if power.Off {
		// Nothing more can be lost by switching it off.
		return l.BeforeFence(power, false), nil
	}
	alive, err := a.serving(ctx, l)
	if err != nil {
		return nil, err
	}
	return l.BeforeFence(power, alive), nil
}

// Act implements operation.Action.
func (a *fence) Act(ctx context.Context, step operation.Step) (string, error) {
	switch step.Name {
	case host.StepPowerOff:
		m, err := a.Power.State(ctx, a.name())
		if err == nil && m.Power != ports.PowerOff {
			err = a.Power.ForceOff(ctx, a.name())
		}
		return "", refusedForGood(err)
	case host.StepRelease:
		return "", a.changeNode(ctx, func(n *corev1.Node) map[string]any {
			if fenced(n) {
				return nil
			}
			return map[string]any{"taints": append(n.Spec.Taints, corev1.Taint{
				Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute,
			})}
		})
	}
	return "", unknownStep(step.Name)
}

// refusedForGood turns an answer that no retry changes into a failure of the step.
func refusedForGood(err error) error {
	var refused *ports.ControllerError
	if errors.As(err, &refused) {
		return operation.Failed("%v: switch the host by hand", err)
	}
	return err
}

// Check implements operation.Action.
func (a *fence) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	switch step.Name {
	case host.StepPowerOff:
		m, err := a.Power.State(ctx, a.name())
		if err != nil {
			return operation.Progress{}, err
		}
		return operation.Progress{Done: m.Power == ports.PowerOff, Message: fmt.Sprintf("the management controller says that the power is %s", m.Power)}, nil
	case host.StepRelease:
		return a.release(ctx)
	}
	return operation.Progress{}, unknownStep(step.Name)
}

// release takes the host's pods off the record. The taint makes the cluster ask each of them
// to end, which ends its budget's protection; nothing runs that could answer, so they leave
// at once. Without this the cluster's collector comes by every 20 s.
func (a *fence) release(ctx context.Context) (operation.Progress, error) {
	l, err := a.found(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if !fenced(l.node) {
		return operation.Progress{}, operation.Failed("host %s is in service again: somebody has taken it back", a.name())
	}
	var errs []error
	left := 0
	for i := range l.pods {
		if p := &l.pods[i]; movable(p) {
			left++
			errs = append(errs, a.end(ctx, p, ptr.To(int64(0))))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return operation.Progress{}, err
	}
	return operation.Progress{Done: left == 0, Message: fmt.Sprintf("%d pods of host %s are still on record", left, a.name())}, nil
}
