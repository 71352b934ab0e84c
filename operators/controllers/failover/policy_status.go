// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit"
)

// finish computes the status and writes it, however the look ended. It is written onto what
// was read: an operation that takes the vote meanwhile writes it too, and both must know.
func (l *look) finish(ctx context.Context, failed error) error {
	s := &l.policy.Status
	c := kit.NewConditions(&s.Conditions, l.policy.Generation, l.now)
	if l.vote != nil {
		c.True(common.ConditionVoted, common.ReasonVoteRead, fmt.Sprintf("site %s serves, by epoch %d", l.vote.Site, l.vote.Epoch))
	} else {
		c.False(common.ConditionVoted, common.ReasonWitnessSilent, "the witness does not answer, or was not asked")
	}
	if failed != nil {
		c.Unknown(common.ConditionTakeover, common.ReasonStateUnknown, failed.Error())
	} else {
		l.role()
		status, reason, message := decide.Takeover(l.readiness())
		c.Set(common.ConditionTakeover, status, reason, message)
		s.ObservedGeneration = l.policy.Generation
	}
	patch := client.MergeFromWithOptions(l.before, client.MergeFromWithOptimisticLock{})
	err := l.Client.Status().Patch(ctx, l.policy, patch, client.FieldOwner(kit.FieldOwner))
	return errors.Join(failed, client.IgnoreNotFound(err))
}

// role that is brought about at this site, and whose wish is fulfilled by it.
func (l *look) role() {
	s := &l.policy.Status
	s.Role, s.Epoch, s.HandedOver, s.Tokens = "", l.order.Epoch, "", nil
	if !every(l.own, func(p *paired) bool {
		return p.done() && p.order.Role == l.order.Role && p.order.Epoch == l.order.Epoch
	}) {
		return
	}
	s.Role = l.order.Role
	h := l.site.Handover
	if h == nil || l.site.Vote == nil || l.site.Vote.Site != l.site.Me || h.Epoch != l.site.Vote.Epoch || !l.now.Before(h.Until) || s.Role != h.Role {
		return
	}
	if h.Role == common.SiteStandby {
		for _, p := range l.own {
			if p.status.DemotionToken == "" {
				return // its database has not said yet what it holds
			}
			s.Tokens = append(s.Tokens, api.PromotionToken{Service: p.name, Token: p.status.DemotionToken})
		}
	}
	s.HandedOver = h.Operation
}

// readiness of the site that stands by.
func (l *look) readiness() decide.Readiness {
	r := decide.Readiness{
		Failover: l.failover("", &api.FailoverSpec{Mode: api.FailoverUnplanned, To: l.policy.Spec.Site}),
		Active:   l.site.Vote != nil && l.site.Vote.Site == l.site.Me, Both: l.site.Both, Lost: l.course.Lost,
	}
	r.Vote = l.site.Vote
	if !r.Active || l.other == nil {
		return r
	}
	// Seen from here: the members are the other site's, and what they have is told by this one's.
	r.Members, r.Following = nil, decide.Following{}
	for _, p := range l.other.Services {
		m := decide.Member{Service: p.Name}
		if p.Site != nil {
			m.Role, m.Ready, m.Lacks = p.Site.Role, p.Site.Ready, p.Site.Lacks
		}
		r.Members = append(r.Members, m)
	}
	if l.site.Streaming {
		r.Following.HeldAllAt = l.now
	} else {
		r.Following.HeldAllAt = at(l.policy.Status.FollowedAt)
	}
	return r
}

// oldest time at which the other site had all of each service; zero: one does not know.
func oldest(own []*paired) time.Time {
	var out time.Time
	for _, p := range own {
		r := p.status.Replication
		if r == nil || !r.Streaming || r.BehindSeconds == nil {
			return time.Time{}
		}
		if had := r.ObservedTime.Add(-time.Duration(*r.BehindSeconds) * time.Second); out.IsZero() || had.Before(out) {
			out = had
		}
	}
	return out
}
