// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Readiness is what tells whether the site that stands by could serve now.
type Readiness struct {
	Failover
	// Active says that this site is the one that serves; Members are then the other site's.
	Active bool
	// Both says that every service's specification waits for both sites.
	Both bool
	// Lost says that this site was active, and what it alone holds is to be looked at.
	Lost bool
}

// Takeover says whether the site that stands by could serve now, and if not, why.
func Takeover(f Readiness) (metav1.ConditionStatus, string, string) {
	standby := f.Me
	if f.Active {
		standby = f.Peer
	}
	switch {
	case f.Lost:
		return metav1.ConditionFalse, common.ReasonVoteLost, "site " + f.Me +
			" was active and is not any more: what it alone holds is to be looked at, then it is made a standby anew (ResyncStandby)"
	case f.Vote == nil:
		return metav1.ConditionUnknown, common.ReasonWitnessSilent, "the witness does not answer: no site can take over"
	case !f.PeerReachable && f.Active:
		return metav1.ConditionUnknown, common.ReasonPeerUnreachable, "site " + f.Peer + " does not answer"
	}
	if b := unready(f.Members); b != nil {
		return metav1.ConditionFalse, common.ReasonStandbyNotReady, "site " + standby + ": " + b[0].Message
	}
	switch have := f.Following; {
	case f.Vote.Alone && f.Both:
		return metav1.ConditionFalse, common.ReasonServingAlone, fmt.Sprintf("site %s acknowledges without site %s: what it takes on now is at one site only", f.Vote.Site, standby)
	case have.HeldAllAt.IsZero() || f.Now.Sub(have.HeldAllAt) > freshFor:
		return metav1.ConditionFalse, common.ReasonReplicationBehind, "site " + standby + " does not have all that was acknowledged: " + Words(f.Loss(have)) + " would be lost"
	case !f.PeerReachable:
		return metav1.ConditionUnknown, common.ReasonPeerUnreachable, "site " + f.Peer + " does not answer: this site could take over once its vote has run out"
	}
	return metav1.ConditionTrue, common.ReasonTakeoverReady, "site " + standby + " could serve now"
}
