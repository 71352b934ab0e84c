// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit"
)

// troubled: a look could not be finished; what was not decided stays as it is.
func troubled(p *api.FailoverPolicy, err error) kit.Event {
	return kit.Event{Object: p, Type: corev1.EventTypeWarning, Reason: common.ReasonStateUnknown, Message: err.Error()}
}

// unreadable: the other site's wish makes no sense.
func unreadable(p *api.FailoverPolicy, err error) kit.Event {
	return kit.Event{Object: p, Type: corev1.EventTypeWarning, Reason: "HandoverUnreadable", Message: err.Error()}
}

// voted: the witness has another vote of this site on record.
func voted(p *api.FailoverPolicy, v decide.Vote) kit.Event {
	if v.Alone {
		return kit.Event{Object: p, Type: corev1.EventTypeWarning, Reason: "VotedAlone",
			Message: fmt.Sprintf("site %s acknowledges without the other one, by epoch %d", v.Site, v.Epoch)}
	}
	return kit.Event{Object: p, Type: corev1.EventTypeNormal, Reason: "Voted",
		Message: fmt.Sprintf("site %s acknowledges what both sites hold, by epoch %d", v.Site, v.Epoch)}
}

// ordered: a service has another role.
func ordered(p *api.FailoverPolicy, s *paired, o common.SiteOrder) kit.Event {
	return kit.Event{Object: p, Type: corev1.EventTypeNormal, Reason: "Ordered", Message: fmt.Sprintf("%s is to be %s, by epoch %d", s.name, o.Role, o.Epoch)}
}

// lost: the other site is, and a person has to decide.
func lost(p *api.FailoverPolicy, why string) kit.Event {
	return kit.Event{Object: p, Type: corev1.EventTypeWarning, Reason: "SiteLost", Message: why, Topic: "lost"}
}
