// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// peerPatience with one answer of the other site.
const peerPatience = 5 * time.Second

// resync is the action ResyncStandby.
type resync struct{ onService }

func newResync(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &resync{onService{Reconciler: r, operation: o, disruptive: true}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f, err := a.facts(ctx, l)
		if err != nil {
			return recovery.Decision{}, err
		}
		if f.Doomed, err = a.members(ctx, l); err != nil {
			return recovery.Decision{}, err
		}
		return recovery.PlanResync(f), nil
	}
	return a
}

// facts of the service at both sites.
func (a *resync) facts(ctx context.Context, l *look) (recovery.Resync, error) {
	f := recovery.Resync{
		Service: l.service, Object: l.ref, Accepted: a.operation.Spec.AcceptUnknownLoss != nil, Now: a.Clock.Now(),
		Acknowledge: l.acknowledge, Whole: whole(l),
		Cluster: recovery.Object{Kind: "Cluster", Namespace: l.ref.Namespace, Name: l.target.database},
	}
	if l.cluster != nil {
		f.Cluster.UID = string(l.cluster.GetUID())
	}
	if l.site == nil {
		return f, nil
	}
	f.Site, f.Peer = string(l.site.Name), string(l.site.Peer.Name)
	var err error
	if f.Order, err = common.Order(l.object.GetAnnotations(), l.site); err != nil {
		return f, err
	}
	f.Done = l.atSite != nil && l.atSite.Role == f.Order.Role && l.atSite.Epoch == f.Order.Epoch
	policy, err := a.policyOf(ctx)
	if err != nil || policy == nil {
		return f, err
	}
	f.Vote, f.Term, f.There = policy.Status.Vote, policy.Spec.Term.Duration, a.peer(ctx, policy)
	return f, nil
}

// policyOf the site; nil when there is none.
func (r *Reconciler) policyOf(ctx context.Context) (*api.FailoverPolicy, error) {
	var p api.FailoverPolicy
	if err := r.Reader.Get(ctx, client.ObjectKey{Namespace: SystemNamespace, Name: api.FailoverPolicyName}, &p); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return &p, nil
}

// peer is what the service says of itself at the other site; nil when nobody answers, or the policy does not have it.
func (a *resync) peer(ctx context.Context, policy *api.FailoverPolicy) *common.SiteStatus {
	ref := a.operation.Spec.Service
	for _, s := range policy.Spec.Services {
		if a.Peer == nil || s.Kind != ref.Kind || s.Name != ref.Name || s.Namespace != a.operation.Namespace {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, peerPatience)
		defer cancel()
		there, err := a.Peer.Look(ctx, []api.PairedService{s})
		if err != nil || len(there.Services) != 1 || there.Policy.Status.Vote.Site != string(policy.Spec.Peer) {
			return nil
		}
		return there.Services[0].Site
	}
	return nil
}

// whole says that the database here is a follower with all its members.
func whole(l *look) bool {
	return l.cluster != nil && l.cluster.GetDeletionTimestamp().IsZero() && database.Follows(l.cluster) &&
		l.database.Settled && l.database.Ready == l.instances
}

// members are all pods and volumes of the database.
func (a *resync) members(ctx context.Context, l *look) ([]recovery.Object, error) {
	var out []recovery.Object
	of := []client.ListOption{client.InNamespace(l.ref.Namespace), client.MatchingLabels{database.ClusterLabel: l.target.database}}
	var pods corev1.PodList
	if err := a.Reader.List(ctx, &pods, of...); err != nil {
		return nil, err
	}
	for i := range pods.Items {
		out = append(out, named("Pod", &pods.Items[i]))
	}
	var volumes corev1.PersistentVolumeClaimList
	if err := a.Reader.List(ctx, &volumes, of...); err != nil {
		return nil, err
	}
	for i := range volumes.Items {
		out = append(out, named("PersistentVolumeClaim", &volumes.Items[i]))
	}
	return out, nil
}

// Before implements operation.Action: which site serves, and what is at stake, is looked at again.
func (a *resync) Before(ctx context.Context, step operation.Step) ([]api.Blocker, error) {
	if step.Name == recovery.StepCopyDatabase {
		return nil, nil
	}
	_, b, err := a.held(ctx)
	return b, err
}

func (a *resync) held(ctx context.Context) (*look, []api.Blocker, error) {
	l, err := a.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	f, err := a.facts(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	return l, f.Held(), nil
}

// Act implements operation.Action. The role comes first: the service's controller makes a database that is missing at
// once, by the role that there is then; and admission lets the manager delete none but one that is asked to follow.
func (a *resync) Act(ctx context.Context, step operation.Step) (string, error) {
	if step.Name == recovery.StepCopyDatabase {
		return "", nil
	}
	l, b, err := a.held(ctx)
	switch {
	case err != nil:
		return "", err
	case len(b) > 0:
		return "", errors.New(b[0].Message)
	case step.Name == recovery.StepStandBy:
		return "", a.standBy(ctx, l)
	case !a.doomed(l, step):
		return "the database is gone already", nil
	}
	// In the foreground: the Cluster stays, and CloudNativePG makes nothing new for it, until all that it owned is gone.
	return "", a.remove(ctx, l.cluster, client.PropagationPolicy(metav1.DeletePropagationForeground))
}

// standBy gives the service the role Standby, by the vote that is on record.
func (a *resync) standBy(ctx context.Context, l *look) error {
	before, err := common.Order(l.object.GetAnnotations(), l.site)
	if err != nil || before.Role == common.SiteStandby {
		return err
	}
	annotations := map[string]any{}
	for key, value := range (common.SiteOrder{Role: common.SiteStandby, Epoch: before.Epoch}).Annotations() {
		if annotations[key] = value; value == "" {
			annotations[key] = nil
		}
	}
	return a.patch(ctx, l.object, map[string]any{"metadata": map[string]any{"annotations": annotations}})
}

// doomed says that the database is the one that the plan throws away.
func (a *resync) doomed(l *look, step operation.Step) bool {
	return l.cluster != nil && slices.ContainsFunc(recovery.Named(a.operation.Status.Plan, step.PlannedStep), func(o recovery.Object) bool {
		return o.UID == string(l.cluster.GetUID())
	})
}

// Check implements operation.Action.
func (a *resync) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	switch {
	case step.Name == recovery.StepStandBy:
		order, err := common.Order(l.object.GetAnnotations(), l.site)
		if err != nil || order.Role != common.SiteStandby {
			return operation.Progress{NotActed: true, Message: "the service has the role " + string(order.Role)}, err
		}
		return operation.Progress{Done: l.cluster == nil || database.Follower(l.cluster), Message: "the service is a standby; its database is told to follow"}, nil
	case step.Name == recovery.StepDeleteDatabase && a.doomed(l, step):
		return operation.Progress{
			NotActed: l.cluster.GetDeletionTimestamp().IsZero(),
			Message:  "the database is being deleted, with all that is its own; a pod on a host that does not answer stays until the host is back or fenced (FenceHost)",
		}, nil
	case step.Name == recovery.StepDeleteDatabase:
		return a.checkGone(ctx, step)
	}
	message := fmt.Sprintf("%d of %d instances are ready; CloudNativePG: %s", l.database.Ready, l.instances, l.database.Phase)
	return operation.Progress{Done: whole(l), Message: message}, nil
}

// Verify implements operation.Action: this site stands by, and the other one says that it follows.
func (a *resync) Verify(ctx context.Context, _ time.Time, evidence *api.Evidence) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	f, err := a.facts(ctx, l)
	if err != nil {
		return operation.Progress{}, err
	}
	done, message := f.Resynced()
	if !done {
		return operation.Progress{Message: message}, nil
	}
	if p := evidence.PredictedLoss; p == (api.Loss{}) {
		evidence.MeasuredLoss = &p
	}
	evidence.Notes = append(evidence.Notes, fmt.Sprintf("the database of site %s was thrown away, and the one of site %s copied", f.Site, f.Peer))
	if a.operation.Spec.AcceptUnknownLoss != nil {
		evidence.Notes = append(evidence.Notes, "what it alone held was given up: "+a.operation.Spec.AcceptUnknownLoss.Reason)
	}
	return operation.Progress{Done: true, Message: message}, nil
}
