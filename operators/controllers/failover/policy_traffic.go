// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
)

// lead sees that clients are sent to this site while it serves.
func (l *look) lead(ctx context.Context) error {
	site := string(l.policy.Spec.Site)
	if !decide.Leads(decide.Traffic{
		Now: l.now, SeenAt: l.led, Moving: l.busy, Voted: l.vote != nil && l.vote.Site == site,
		Serving: every(l.own, func(p *paired) bool { return p.order.Role == common.SiteActive && p.done() }),
	}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := l.Traffic.Read(ctx)
	if err == nil && now.Site != site {
		err = l.Traffic.Send(ctx, site, l.vote.Epoch)
	}
	if err != nil {
		l.Events.Publish(troubled(l.policy, err)) // the next look tries again
		return nil
	}
	l.led = l.now
	return nil
}
