// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// rebuildMember is the action RebuildReplica on a member of the broker.
type rebuildMember struct{ onService }

// onMember says that an operation's instance is one of the broker's, by its name.
func onMember(o *api.ServiceRecovery) bool {
	return o.Spec.Service.Kind != "BookingService" && messaging.OfBroker(o.Spec.Service.Name, o.Spec.Instance)
}

func newRebuildMember(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &rebuildMember{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f, err := a.facts(ctx, l)
		if err != nil {
			return recovery.Decision{}, err
		}
		f.Doomed, err = a.member(ctx, l)
		return recovery.PlanRebuildMember(f), err
	}
	a.notes = func() []string {
		return []string{o.Spec.Instance + " was thrown away and began anew, with replicas of the queues from the other members"}
	}
	return a
}

// memberNames are those that the broker's nodes have to have.
func (l *look) memberNames() []string {
	var names []string
	if l.broker != "" && l.elsewhere[recovery.Broker] == "" {
		for i := range l.target.nodes {
			names = append(names, fmt.Sprintf("%s-%d", messaging.ServerName(l.broker), i))
		}
	}
	return names
}

func (a *rebuildMember) facts(ctx context.Context, l *look) (recovery.Member, error) {
	f := recovery.Member{
		Service: l.service, Instance: a.operation.Spec.Instance,
		Nodes: recovery.Object{Kind: "StatefulSet", Namespace: l.ref.Namespace, Name: messaging.ServerName(l.broker)},
	}
	pods, err := a.brokerPods(ctx, l)
	for _, name := range l.memberNames() {
		f.Members = append(f.Members, recovery.Instance{Name: name, Ready: slices.ContainsFunc(pods, func(p corev1.Pod) bool {
			return p.Name == name && kit.PodReady(&p)
		})})
	}
	return f, err
}

// member is the pod and the volume of the instance, as far as they exist.
func (a *rebuildMember) member(ctx context.Context, l *look) ([]recovery.Object, error) {
	var out []recovery.Object
	pod, err := a.podOf(ctx, l.key(a.operation.Spec.Instance))
	if err != nil {
		return nil, err
	}
	if pod != nil && l.nodes != nil && metav1.IsControlledBy(pod, l.nodes) {
		out = append(out, named("Pod", pod))
	}
	volumes, err := a.brokerVolumes(ctx, l, a.operation.Spec.Instance)
	return append(out, volumes...), err
}

// Before implements operation.Action: the other members are counted anew.
func (a *rebuildMember) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	if step.Name != recovery.StepDeleteInstance {
		return nil, nil
	}
	_, f, err := a.now(ctx)
	if err != nil {
		return nil, err
	}
	if begun := a.step(step.Name); begun != nil && begun.Acts > 0 {
		// Cut off: half of it may be gone, and what other parts lack by now does not bring that back.
		f.Parts = slices.DeleteFunc(slices.Clone(f.Parts), func(p quorum.Part) bool { return p.Name != recovery.Broker })
	}
	return f.Others(), nil
}

// now looks at the service again, for the facts as they are.
func (a *rebuildMember) now(ctx context.Context) (*look, recovery.Member, error) {
	l, err := a.look(ctx)
	if err != nil {
		return nil, recovery.Member{}, err
	}
	f, err := a.facts(ctx, l)
	return l, f, err
}

// Act implements operation.Action.
func (a *rebuildMember) Act(ctx context.Context, step operation.Step) (string, error) {
	if step.Name != recovery.StepDeleteInstance {
		return "", nil
	}
	return a.throwAway(ctx, step, func(p *corev1.Pod) []client.DeleteOption {
		if kit.PodReady(p) {
			return nil
		}
		return []client.DeleteOption{killAfter} // it leads no queue that it could hand over
	})
}

// Check implements operation.Action.
func (a *rebuildMember) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	if step.Name == recovery.StepDeleteInstance {
		return a.checkGone(ctx, step)
	}
	l, f, err := a.now(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	n, joined := int32(0), false
	for _, m := range f.Members {
		if m.Ready {
			n++
			joined = joined || m.Name == f.Instance
		}
	}
	message := fmt.Sprintf("%d of %d members are ready", n, l.target.nodes)
	if !joined {
		message += fmt.Sprintf("; the new %s has still to join them and to get its replicas of the queues", f.Instance)
	}
	return operation.Progress{Done: n == l.target.nodes && l.nodes != nil && l.nodes.Status.ReadyReplicas == n, Message: message}, nil
}
