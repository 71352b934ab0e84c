// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// +kubebuilder:rbac:groups="",resources=pods,verbs=delete,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;delete,namespace=spine-messaging

// killAfter in seconds: members of a broker that is thrown away have nothing to hand over,
// and the longer one lives, the likelier it meets a new one.
const killAfter = client.GracePeriodSeconds(5)

// rebuildBroker is the action RebuildBroker.
type rebuildBroker struct{ onService }

func newRebuildBroker(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &rebuildBroker{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f := a.ledger(l)
		pods, err := a.brokerPods(ctx, l)
		if err != nil {
			return recovery.Decision{}, err
		}
		for i := range pods {
			f.Members = append(f.Members, named("Pod", &pods[i]))
		}
		f.Volumes, err = a.brokerVolumes(ctx, l, l.memberNames()...)
		return recovery.PlanRebuildBroker(f), err
	}
	a.notes = func() []string {
		if a.step(recovery.StepDeleteBroker) == nil {
			return []string{"the broker, which somebody else runs, was not touched; what its queues had lost came from the ledger, which was not touched either"}
		}
		return []string{"the broker was formed anew and filled from the ledger, which was not touched"}
	}
	return a
}

func (a *rebuildBroker) ledger(l *look) recovery.Rebuild {
	return recovery.Rebuild{Service: l.service, Program: l.part, DatabaseAvailable: l.database.Available}
}

// Before implements operation.Action: nothing is thrown away unless the ledger is well now.
func (a *rebuildBroker) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	if step.Name != recovery.StepDeleteBroker {
		return nil, nil
	}
	l, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	return a.ledger(l).Ledger(), nil
}

// Act implements operation.Action.
func (a *rebuildBroker) Act(ctx context.Context, step operation.Step) (string, error) {
	if step.Name != recovery.StepDeleteBroker {
		return "", nil
	}
	return a.throwAway(ctx, step, func(*corev1.Pod) []client.DeleteOption { return []client.DeleteOption{killAfter} })
}

// throwAway deletes what is left of the members of the broker that a step names, and how says of each pod how.
func (a *onService) throwAway(ctx context.Context, step operation.Step, how func(*corev1.Pod) []client.DeleteOption) (string, error) {
	pods, volumes, err := a.left(ctx, newDoomed(recovery.Named(a.operation.Status.Plan, step.PlannedStep)))
	if err != nil {
		return "", err
	}
	// Volumes first: a StatefulSet makes no pod for a claim that is going.
	for i := range volumes {
		if err := a.remove(ctx, &volumes[i]); err != nil {
			return "", err
		}
	}
	for i := range pods {
		if err := a.remove(ctx, &pods[i], how(&pods[i])...); err != nil {
			return "", err
		}
	}
	return "deleted " + tally(pods, volumes), nil
}

// Check implements operation.Action.
func (a *rebuildBroker) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	switch step.Name {
	case recovery.StepDeleteBroker:
		return a.checkGone(ctx, step)
	case recovery.StepFormBroker:
		return a.checkFormed(ctx, l)
	}
	return a.checkDispatch(ctx, l)
}

// checkGone waits until nothing of what the step names is left.
func (a *onService) checkGone(ctx context.Context, step operation.Step) (operation.Progress, error) {
	pods, volumes, err := a.left(ctx, newDoomed(recovery.Named(a.operation.Status.Plan, step.PlannedStep)))
	if err != nil {
		return operation.Progress{}, err
	}
	if len(pods)+len(volumes) > 0 {
		return operation.Progress{Message: remaining(pods, volumes)}, nil
	}
	return operation.Progress{Done: true, Message: "all of it is gone"}, nil
}

func (a *rebuildBroker) checkFormed(ctx context.Context, l *look) (operation.Progress, error) {
	pods, err := a.brokerPods(ctx, l)
	if err != nil {
		return operation.Progress{}, err
	}
	n := int32(0)
	for i := range pods {
		if kit.PodReady(&pods[i]) {
			n++
		}
	}
	// A member is ready once it is in a cluster of the whole size: its startup probe asks that.
	whole := n == l.target.nodes && l.nodes != nil && l.nodes.Status.ReadyReplicas == n
	return operation.Progress{Done: whole, Message: fmt.Sprintf("%d of %d new members are ready", n, l.target.nodes)}, nil
}

// checkDispatch waits until every gateway says that it is connected and a message gets
// through each.
func (a *rebuildBroker) checkDispatch(ctx context.Context, l *look) (operation.Progress, error) {
	replicas, err := a.replicasOf(ctx, l.target)
	if err != nil {
		return operation.Progress{}, err
	}
	if len(replicas) == 0 {
		return operation.Progress{Message: "no gateway is ready"}, nil
	}
	for _, one := range replicas {
		var s ports.MessagingStatus
		if err := a.ask(ctx, l.target, one, &s); err != nil {
			return operation.Progress{Message: err.Error()}, nil
		}
		if !s.Broker.Connected {
			return operation.Progress{Message: "the gateway at " + one.Address + " is not connected to the new broker yet"}, nil
		}
		if failure := deepprobe.Failure(ctx, a.Prober, l.target.patience, one); failure != "" {
			return operation.Progress{Message: failure}, nil
		}
	}
	return operation.Progress{Done: true, Message: fmt.Sprintf("messages get through all %d gateways", len(replicas))}, nil
}

// ask reads what one replica counts.
func (a *onService) ask(ctx context.Context, t *target, one ports.Target, into any) error {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	return a.Prober.Status(ctx, one, into)
}

// podOf reads a pod; nil when it is not there.
func (a *onService) podOf(ctx context.Context, key client.ObjectKey) (*corev1.Pod, error) {
	var p corev1.Pod
	if err := a.Reader.Get(ctx, key, &p); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return &p, nil
}
