// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	// maxSwaps of one look: to renew, to change, and to renew what was changed.
	maxSwaps = 3
)

// facts of one look.
func (l *look) facts() decide.Site {
	s, spec := l.policy.Status, l.policy.Spec
	f := decide.Site{
		Now: l.now, Me: string(spec.Site), Peer: string(spec.Peer), Term: spec.Term.Duration, Vote: l.vote, Order: l.order,
		First: every(l.own, func(p *paired) bool { return p.site.Role == common.RoleActive }),
		Both:  every(l.own, func(p *paired) bool { return p.acknowledge == common.AcknowledgeBothSites }),
		Done:  every(l.own, (*paired).done),
		Strict: every(l.own, func(p *paired) bool {
			return p.done() && !p.order.Alone && p.status.Acknowledge == common.AcknowledgeBothSites
		}),
		Streaming: every(l.own, func(p *paired) bool { return decide.HasAll(p.status.Replication, l.now) }),
		Held:      decide.Vote{Site: s.Vote.Site, Epoch: s.Vote.Epoch, Alone: s.Vote.Alone, Until: at(s.Vote.Until)},
		Promised:  at(s.PromisedUntil), WasAlone: s.Vote.Site == string(spec.Site) && s.Vote.Alone,
	}
	if l.vote != nil {
		if l.vote.Epoch != f.Held.Epoch {
			f.Promised = time.Time{} // it was of another vote
		}
		f.Held = *l.vote
	}
	f.BrokenFor = since(&l.broken, !f.Streaming && f.Order.Role == common.SiteActive, l.now)
	f.StreamingFor = since(&l.whole, f.Streaming, l.now)
	return f
}

// since keeps when something began to be so, and says how long it has been.
func since(began *time.Time, is bool, now time.Time) time.Duration {
	switch {
	case !is:
		*began = time.Time{}
	case began.IsZero():
		*began = now
	}
	if began.IsZero() {
		return 0
	}
	return now.Sub(*began)
}

// steer decides, puts on record what has to be there first, and tells the programs.
func (l *look) steer(ctx context.Context) error {
	f := l.facts()
	var err error
	if f.Handover, err = l.policy.HandoverOf(); err != nil {
		l.Events.Publish(unreadable(l.policy, err))
	}
	d := decide.Decide(f)
	for range maxSwaps {
		if d.Swap == nil || !l.swap(ctx, *f.Vote, *d.Swap) {
			break
		}
		f.Vote, f.Held, f.Renewed = d.Swap, *d.Swap, true
		d = decide.Decide(f)
	}
	if d.AskPromise && l.promised(ctx, &f) {
		d = decide.Decide(f)
	}
	l.remember(f)
	if f.Bounded = l.permit(ctx, d); f.Bounded {
		d = decide.Decide(f)
	}
	l.site, l.course = f, d
	l.vote = f.Vote
	return ctx.Err()
}

// swap puts a vote on record. When that is not certain, the next look reads what is there.
func (l *look) swap(ctx context.Context, old, next decide.Vote) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next.Until = next.Until.UTC().Truncate(time.Millisecond)
	if err := l.Witness.Swap(ctx, ports.Vote(old), ports.Vote(next)); err != nil {
		return false
	}
	if old.Epoch != next.Epoch {
		l.Events.Publish(voted(l.policy, next))
	}
	return true
}

// promised asks the other site to take nothing over for a term. It must not be about to, and
// not have had the vote since.
func (l *look) promised(ctx context.Context, f *decide.Site) bool {
	if l.other == nil || l.other.Policy.Status.Taking != nil || l.other.Policy.Status.Role != common.SiteStandby ||
		l.other.Policy.Status.Vote.Epoch > f.Held.Epoch {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	until := l.now.Add(f.Term).UTC().Truncate(time.Millisecond)
	if err := l.Peer.Promise(ctx, l.other.Policy, api.Promise{Epoch: f.Held.Epoch, Until: until}); err != nil {
		return false
	}
	f.Promised = until
	return true
}

// remember what is known of the vote, for the time when nobody answers.
func (l *look) remember(f decide.Site) {
	s := &l.policy.Status
	if f.Vote != nil {
		if f.Vote.Site == f.Me && s.Vote.Site != f.Me {
			s.MovedAt = micro(l.now)
		}
		s.Vote = api.SiteVote{Site: f.Vote.Site, Epoch: f.Vote.Epoch, Alone: f.Vote.Alone, Until: micro(f.Vote.Until), ReadAt: micro(l.now)}
	}
	s.PromisedUntil = micro(f.Promised)
	switch had := oldest(l.own); {
	case f.Order.Role == common.SiteStandby:
		s.FollowedAt = nil // it is for the site that has the databases to say
	case had.After(at(s.FollowedAt)):
		s.FollowedAt = micro(had)
	}
}

// permit tells every running program what it may do, and says whether none of them has a
// permit without an end: one that does not answer may.
func (l *look) permit(ctx context.Context, d decide.Course) bool {
	permit := ports.Permit{Epoch: d.Epoch, Endless: d.Permit == decide.PermitEndless}
	if d.Permit == decide.PermitUntil {
		permit.Until = d.Until
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	bounded := !permit.Endless
	fail := func() {
		mu.Lock()
		defer mu.Unlock()
		bounded = false
	}
	for _, p := range l.own {
		var pods corev1.PodList
		if err := l.Reader.List(ctx, &pods, client.InNamespace(p.object.GetNamespace()), p.pods); err != nil {
			fail()
			continue
		}
		for i := range pods.Items {
			pod := &pods.Items[i]
			if pod.Status.PodIP == "" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
				continue // it does not run, or not yet; then it begins without a permit
			}
			wait.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				if err := l.Permits.Permit(ctx, ports.Target{Address: p.podOps(pod.Status.PodIP), ServerName: p.ops.ServerName}, permit); err != nil {
					fail()
				}
			})
		}
	}
	wait.Wait()
	return bounded
}

// at is a time of the API; micro the other way round, nil for none.
func at(t *metav1.MicroTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func micro(t time.Time) *metav1.MicroTime {
	if t.IsZero() {
		return nil
	}
	return &metav1.MicroTime{Time: t}
}
