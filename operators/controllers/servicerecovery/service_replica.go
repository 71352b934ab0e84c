// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// +kubebuilder:rbac:groups="",resources=pods,verbs=delete,namespace=spine-booking
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;delete,namespace=spine-booking

// instanceLabel is CloudNativePG's, on the volumes of one instance.
const instanceLabel = "cnpg.io/instanceName"

// phaseWaiting is CloudNativePG's word while an instance is not active.
const phaseWaiting database.Phase = "Waiting for the instances to become active"

// rebuildReplica is the action RebuildReplica on an instance of the database.
type rebuildReplica struct{ onService }

func newRebuildReplica(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	if onMember(o) {
		return newRebuildMember(r, o)
	}
	a := &rebuildReplica{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f := a.facts(l)
		var err error
		f.Doomed, err = a.instance(ctx, l)
		return recovery.PlanRebuildReplica(f), err
	}
	a.notes = func() []string { return []string{o.Spec.Instance + " was thrown away and another standby was copied"} }
	return a
}

func (a *rebuildReplica) facts(l *look) recovery.Replica {
	f := recovery.Replica{
		Service: l.service, Instance: a.operation.Spec.Instance, Primary: l.database.Primary, Members: l.memberNames(),
		Cluster: recovery.Object{Kind: "Cluster", Namespace: l.ref.Namespace, Name: l.target.database},
	}
	if l.database.Known && l.database.Phase != database.PhaseHealthy && l.database.Phase != phaseWaiting {
		f.Working = string(l.database.Phase)
	}
	healthy := healthyInstances(l.cluster)
	for _, name := range instanceNames(l.cluster) {
		f.Instances = append(f.Instances, recovery.Instance{Name: name, Ready: slices.Contains(healthy, name) && !slices.Contains(l.astray, name)})
	}
	return f
}

// instance is the pod and the volumes of the instance, as far as they exist.
func (a *rebuildReplica) instance(ctx context.Context, l *look) ([]recovery.Object, error) {
	var out []recovery.Object
	name := a.operation.Spec.Instance
	pod, err := a.podOf(ctx, l.key(name))
	if err != nil {
		return nil, err
	}
	if pod != nil && pod.Labels[database.ClusterLabel] == l.target.database {
		out = append(out, named("Pod", pod))
	}
	var volumes corev1.PersistentVolumeClaimList
	if err := a.Reader.List(ctx, &volumes, client.InNamespace(l.ref.Namespace),
		client.MatchingLabels{database.ClusterLabel: l.target.database, instanceLabel: name}); err != nil {
		return nil, err
	}
	for i := range volumes.Items {
		out = append(out, named("PersistentVolumeClaim", &volumes.Items[i]))
	}
	return out, nil
}

// Before implements operation.Action: the other members are counted anew, and the instance
// must not have become the primary.
func (a *rebuildReplica) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	if step.Name != recovery.StepDeleteInstance {
		return nil, nil
	}
	l, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	if begun := a.step(step.Name); begun != nil && begun.Acts > 0 {
		return a.primary(l), nil // cut off: half of it may be gone, which is its own doing
	}
	return a.facts(l).Others(), nil
}

// primary says that there must be one, and which it must not be.
func (a *rebuildReplica) primary(l *look) []api.Blocker {
	f := a.facts(l)
	f.Parts, f.Working = nil, ""
	return f.Others()
}

// Act implements operation.Action.
func (a *rebuildReplica) Act(ctx context.Context, step operation.Step) (string, error) {
	if step.Name != recovery.StepDeleteInstance {
		return "", nil
	}
	pods, volumes, err := a.left(ctx, newDoomed(recovery.Named(a.operation.Status.Plan, step.PlannedStep)))
	if err != nil {
		return "", err
	}
	// The pods were read before the primary is looked at: an instance that is promoted after
	// that gets another label, and what was read is not deleted any more.
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	if b := a.primary(l); len(b) > 0 {
		return "", fmt.Errorf("%s", b[0].Message)
	}
	var order []client.Object
	for i := range volumes {
		order = append(order, &volumes[i])
	}
	// A pod on a host stays until its kubelet lets go of it, and with the pod goes the proof that
	// it is a standby: the pod first. One on no host is gone at once, and its successor would
	// take the volumes over: the volumes first.
	for i := range pods {
		if pods[i].Spec.NodeName != "" {
			order = slices.Insert(order, 0, client.Object(&pods[i]))
		} else {
			order = append(order, &pods[i])
		}
	}
	for _, o := range order {
		if err := a.remove(ctx, o); err != nil {
			return "", err
		}
	}
	return "deleted " + tally(pods, volumes), nil
}

// Check implements operation.Action.
func (a *rebuildReplica) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	if step.Name == recovery.StepDeleteInstance {
		return a.checkGone(ctx, step)
	}
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	healthy := int32(len(healthyInstances(l.cluster)))
	message := fmt.Sprintf("%d of %d instances are ready; CloudNativePG: %s", l.database.Ready, l.instances, l.database.Phase)
	if !l.database.Settled || l.database.Ready != l.instances || healthy != l.instances {
		return operation.Progress{Message: message}, nil
	}
	fresh := slices.DeleteFunc(instanceNames(l.cluster), func(name string) bool {
		return slices.Contains(recovery.Kept(a.operation.Status.Plan), name)
	})
	if len(fresh) == 0 {
		return operation.Progress{Message: message + "; none of them is new yet"}, nil
	}
	if i := slices.IndexFunc(fresh, func(name string) bool { return !follows(l.cluster, name, l.database.Primary) }); i >= 0 {
		return operation.Progress{Message: fresh[i] + " does not follow the primary yet"}, nil
	}
	return operation.Progress{Done: true, Message: fmt.Sprintf("%s; the new one is %s and follows the primary %s", message, strings.Join(fresh, ", "), l.database.Primary)}, nil
}

func healthyInstances(cluster *unstructured.Unstructured) []string {
	if cluster == nil {
		return nil
	}
	names, _, _ := unstructured.NestedStringSlice(cluster.Object, "status", "instancesStatus", "healthy")
	return names
}

// follows says that an instance is healthy and on the primary's timeline. It is asked of new
// ones only: one that was there before a failover reports its former timeline until its next
// checkpoint.
func follows(cluster *unstructured.Unstructured, name, primary string) bool {
	reported, _, _ := unstructured.NestedMap(cluster.Object, "status", "instancesReportedState")
	timeline := func(of string) any {
		state, _ := reported[of].(map[string]any)
		return state["timeLineID"]
	}
	return slices.Contains(healthyInstances(cluster), name) && timeline(name) != nil && timeline(name) == timeline(primary)
}
