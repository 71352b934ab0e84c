// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit"
)

// automatic asks for a failover when the other site is lost, as a person would: a dry run
// first, then the real run of its plan.
func (l *look) automatic(ctx context.Context) error {
	l.watch()
	var list api.FailoverList
	if err := l.Reader.List(ctx, &list, client.InNamespace(SystemNamespace)); err != nil {
		return err
	}
	spec := &api.FailoverSpec{Mode: api.FailoverUnplanned, To: l.policy.Spec.Site, MaxLoss: &l.policy.Spec.Automatic.MaxLoss}
	w := decide.Watch{
		Failover: l.failover("", spec), Rules: l.policy.Spec.Automatic,
		ProbeFailures: l.policy.Status.Peer.ProbeFailures, MovedAt: at(l.policy.Status.MovedAt),
	}
	var mine *api.Failover
	for i := range list.Items {
		o := &list.Items[i]
		real := !ptr.Deref(o.Spec.DryRun, true)
		switch {
		case real && o.Status.Phase.Ended():
			if o.Status.StartedAt != nil && o.Status.EndedAt.After(w.EndedAt) {
				w.EndedAt = o.Status.EndedAt.Time
			}
		case real:
			w.Busy = true
		case o.Spec.RequestedBy == ManagerUser:
			mine = o
		}
	}
	l.busy = w.Busy
	l.forget(list.Items)
	l.withdraw(ctx, list.Items)
	l.verdict, l.reason = decide.Automatically(w)
	switch {
	case l.verdict == decide.Page:
		l.Events.Publish(lost(l.policy, l.reason))
	case l.verdict == decide.Begin && mine == nil:
		return l.request(ctx, spec)
	case l.verdict == decide.Begin:
		return l.goOn(ctx, mine)
	}
	if mine != nil {
		return l.drop(ctx, mine)
	}
	return nil
}

// watch keeps what is seen of the other site.
func (l *look) watch() {
	s := &l.policy.Status.Peer
	switch {
	case !l.guards() || l.probed && l.probeFailure == "":
		s.ProbeFailures = 0
	case l.probed:
		s.ProbeFailures++
	}
	if l.probed {
		s.ProbedAt = micro(l.now)
	}
	s.Reachable = l.other != nil
	if l.other == nil {
		return
	}
	if had := l.other.Policy.Status.FollowedAt; at(had).After(at(s.HeldAllAt)) {
		s.HeldAllAt = had
	}
	var acknowledged int64
	for _, p := range l.other.Services {
		acknowledged += max(p.Acknowledged, 0)
	}
	if since := l.now.Sub(at(s.ReachedAt)); s.ReachedAt != nil && since > 0 && s.Acknowledged > 0 && acknowledged > s.Acknowledged {
		s.PerSecond = max(s.PerSecond, int64(float64(acknowledged-s.Acknowledged)/since.Seconds())+1)
	}
	s.Acknowledged, s.ReachedAt = acknowledged, micro(l.now)
}

// forget the record of taking a vote once it has done its service, or its operation is over.
func (l *look) forget(failovers []api.Failover) {
	t := l.policy.Status.Taking
	if t == nil || l.site.Vote == nil {
		return
	}
	if l.site.Vote.Site == l.site.Me {
		if l.site.Done && l.order.Role == common.SiteActive {
			l.policy.Status.Taking = nil
		}
		return
	}
	for i := range failovers {
		if o := &failovers[i]; o.Name == t.Operation && !o.Status.Phase.Ended() {
			return
		}
	}
	l.policy.Status.Taking = nil
}

// withdraw what an operation of this site asked of the other one, once it is over without
// having taken the vote: the other site need not wait until the time for it is up.
func (l *look) withdraw(ctx context.Context, failovers []api.Failover) {
	if l.other == nil || l.site.Vote == nil || l.site.Vote.Site != l.site.Peer {
		return
	}
	h, err := l.other.Policy.HandoverOf()
	if err != nil || h == nil || !l.now.Before(h.Until) {
		return
	}
	for i := range failovers {
		if o := &failovers[i]; o.Name == h.Operation && !o.Status.Phase.Ended() {
			return
		}
	}
	h.Until = l.now.UTC().Truncate(time.Second)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.Peer.Ask(ctx, l.other.Policy, *h); err != nil {
		l.Events.Publish(troubled(l.policy, err)) // the next look tries again
	}
}

// request a failover: one of a name for each vote, so that whoever asks twice asks once.
func (l *look) request(ctx context.Context, spec *api.FailoverSpec) error {
	o := &api.Failover{
		ObjectMeta: metav1.ObjectMeta{Namespace: SystemNamespace, Name: "automatic-" + l.now.UTC().Format("20060102-150405")},
		Spec:       *spec.DeepCopy(),
	}
	o.Spec.OperationSpec = api.OperationSpec{RequestedBy: ManagerUser, Reason: "without hands: " + l.reason, DryRun: ptr.To(true)}
	return client.IgnoreAlreadyExists(l.Client.Create(ctx, o, client.FieldOwner(kit.FieldOwner)))
}

// blockedLife is how long a dry run of the manager's may be blocked before it is made anew.
const blockedLife = time.Minute

// goOn turns the dry run into the real run by its own plan.
func (l *look) goOn(ctx context.Context, o *api.Failover) error {
	looked := o.Status.ObservedGeneration == o.Generation
	switch {
	case looked && o.Status.Phase == api.PhasePlanned && o.Status.Plan != nil:
		before := o.DeepCopy()
		o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return l.Client.Patch(ctx, o, patch, client.FieldOwner(kit.FieldOwner))
	case l.now.Sub(o.CreationTimestamp.Time) > blockedLife:
		return l.drop(ctx, o)
	}
	return nil
}

func (l *look) drop(ctx context.Context, o *api.Failover) error {
	return client.IgnoreNotFound(l.Client.Delete(ctx, o, client.Preconditions{UID: &o.UID, ResourceVersion: &o.ResourceVersion}))
}
