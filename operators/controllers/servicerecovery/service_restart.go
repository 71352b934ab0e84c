// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// +kubebuilder:rbac:groups="",resources=pods/eviction,verbs=create,namespace=spine-messaging

// restartedAt is the mark by which both Deployments and CloudNativePG know that members
// have to be restarted.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// restart is the action RestartRolling.
type restart struct{ onService }

func newRestart(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &restart{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f, err := a.facts(ctx, l)
		return recovery.PlanRestart(f), err
	}
	return a
}

// part is the one to restart, by its name in the facts.
func (a *restart) part() string { return strings.ToLower(string(a.operation.Spec.Part)) }

func (a *restart) facts(ctx context.Context, l *look) (recovery.Restart, error) {
	f := recovery.Restart{Service: l.service, Part: a.part()}
	switch f.Part {
	case recovery.Database:
		f.Owner = recovery.Object{Kind: "Cluster", Namespace: l.ref.Namespace, Name: l.target.database}
		for _, name := range instanceNames(l.cluster) {
			f.Members = append(f.Members, recovery.Object{Kind: "Pod", Namespace: l.ref.Namespace, Name: name})
		}
	case recovery.Broker:
		pods, err := a.brokerPods(ctx, l)
		if err != nil {
			return f, err
		}
		// From the last to the first, as a StatefulSet does it.
		for _, p := range slices.Backward(pods) {
			f.Members = append(f.Members, named("Pod", &p))
		}
	default:
		f.Owner = recovery.Object{Kind: "Deployment", Namespace: l.ref.Namespace, Name: l.program}
	}
	return f, nil
}

// Before implements operation.Action: the members of every part are counted anew.
func (a *restart) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	l, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	if a.part() != recovery.Broker && a.marked(l) == mark(step) {
		return nil, nil // cut off after the mark was set: what changes now is its own doing
	}
	return l.service.Disrupt(a.part()), nil
}

// mark is the same however often the step is begun.
func mark(step operation.Step) string { return step.StartedAt.UTC().Format(time.RFC3339) }

// marked returns the mark that the part has now.
func (a *restart) marked(l *look) string {
	switch {
	case a.part() == recovery.Database && l.cluster != nil:
		return l.cluster.GetAnnotations()[restartedAt]
	case a.part() != recovery.Database && l.deployment != nil:
		return l.deployment.Spec.Template.Annotations[restartedAt]
	}
	return ""
}

// Act implements operation.Action.
func (a *restart) Act(ctx context.Context, step operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	if a.part() != recovery.Broker && a.marked(l) == mark(step) {
		return "", nil
	}
	annotations := map[string]any{"annotations": map[string]any{restartedAt: mark(step)}}
	switch a.part() {
	case recovery.Broker:
		for _, pod := range recovery.Named(a.operation.Status.Plan, step.PlannedStep) {
			if err := a.evict(ctx, pod); err != nil {
				return "", err
			}
		}
		return "", nil
	case recovery.Database:
		if l.cluster == nil {
			return "", operation.Failed("Cluster %s is gone: there is nothing to restart", l.target.database)
		}
		return "", a.patch(ctx, l.cluster, map[string]any{"metadata": annotations})
	}
	if l.deployment == nil {
		return "", operation.Failed("Deployment %s is gone: there is nothing to restart", l.program)
	}
	return "", a.patch(ctx, l.deployment, map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": annotations}}})
}

// Check implements operation.Action.
func (a *restart) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if a.part() == recovery.Broker {
		return a.checkMember(ctx, l, step)
	}
	if got := a.marked(l); got != mark(step) {
		return operation.Progress{}, operation.Failed("somebody else asked for another restart meanwhile (%s is %q and was set to %q): see what it is for, and make another plan", restartedAt, got, mark(step))
	}
	if a.part() == recovery.Database {
		return a.checkDatabase(ctx, l, step)
	}
	s := l.deployment.Status
	return operation.Progress{Done: rolled(l.deployment), Message: fmt.Sprintf("%d of %d replicas are new and %d are available",
		s.UpdatedReplicas, l.replicas, s.AvailableReplicas)}, nil
}

func (a *restart) checkMember(ctx context.Context, l *look, step operation.Step) (operation.Progress, error) {
	for _, o := range recovery.Named(a.operation.Status.Plan, step.PlannedStep) {
		var pod corev1.Pod
		err := a.Reader.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Name}, &pod)
		switch {
		case client.IgnoreNotFound(err) != nil:
			return operation.Progress{}, err
		case err != nil, string(pod.UID) == o.UID, !kit.PodReady(&pod):
			return operation.Progress{Message: o.Name + " is not back yet"}, nil
		}
	}
	if b := l.service.Disrupt(""); len(b) > 0 {
		return operation.Progress{Message: b[0].Message}, nil
	}
	return operation.Progress{Done: true, Message: "it is back, and every member is ready"}, nil
}

func (a *restart) checkDatabase(ctx context.Context, l *look, step operation.Step) (operation.Progress, error) {
	var pods corev1.PodList
	if err := a.Reader.List(ctx, &pods, client.InNamespace(l.ref.Namespace),
		client.MatchingLabels{database.ClusterLabel: l.target.database, database.RoleLabel: database.RoleInstance}); err != nil {
		return operation.Progress{}, err
	}
	restarted := int32(0)
	for i := range pods.Items {
		if p := &pods.Items[i]; kit.PodReady(p) && p.Annotations[restartedAt] == mark(step) {
			restarted++
		}
	}
	done := restarted == l.instances && l.database.Settled
	return operation.Progress{Done: done, Message: fmt.Sprintf("%d of %d instances are restarted; CloudNativePG: %s", restarted, l.instances, l.database.Phase)}, nil
}

// brokerPods are those of the broker's StatefulSet, in the order of their numbers.
func (r *Reconciler) brokerPods(ctx context.Context, l *look) ([]corev1.Pod, error) {
	var list corev1.PodList
	if l.nodes == nil {
		return nil, nil
	}
	if err := r.Reader.List(ctx, &list, client.InNamespace(l.ref.Namespace), client.MatchingLabels(l.nodes.Spec.Selector.MatchLabels)); err != nil {
		return nil, err
	}
	pods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return !metav1.IsControlledBy(&p, l.nodes) })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return cmp.Compare(number(a.Name), number(b.Name)) })
	return pods, nil
}

// number of a StatefulSet's pod.
func number(pod string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(pod[strings.LastIndex(pod, "-"):], "-"))
	if err != nil {
		return -1
	}
	return n
}

// instanceNames are those that CloudNativePG counts.
func instanceNames(cluster *unstructured.Unstructured) []string {
	if cluster == nil {
		return nil
	}
	names, _, _ := unstructured.NestedStringSlice(cluster.Object, "status", "instanceNames")
	slices.Sort(names)
	return names
}

// brokerVolumes are the claims of those members of the broker, one each, as far as they exist.
func (r *Reconciler) brokerVolumes(ctx context.Context, l *look, members ...string) ([]recovery.Object, error) {
	var out []recovery.Object
	for _, name := range members {
		var v corev1.PersistentVolumeClaim
		err := r.Reader.Get(ctx, l.key(messaging.VolumeName(name)), &v)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil {
			out = append(out, named("PersistentVolumeClaim", &v))
		}
	}
	return out, nil
}
