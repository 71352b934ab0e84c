// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// leadAgain is how often the site that serves sees that clients are sent to it.
const leadAgain = time.Minute

// lead sends clients to this site while it serves: the first time, as no Failover brought that about, and when they
// were led elsewhere by hand. While a Failover is under way, clients are that one's.
func (l *look) lead(ctx context.Context) error {
	site := string(l.policy.Spec.Site)
	if l.busy || l.vote == nil || l.vote.Site != site || l.now.Sub(l.led) < leadAgain {
		return nil
	}
	if !every(l.own, func(p *paired) bool { return p.order.Role == common.SiteActive && p.done() }) {
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
