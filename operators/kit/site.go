// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Takeover is what the site's FailoverPolicy says of whether the other site could serve now;
// nil where it says nothing.
func Takeover(ctx context.Context, c client.Client) (*metav1.Condition, error) {
	policy := &resilience.FailoverPolicy{}
	key := client.ObjectKey{Namespace: "spine-system", Name: resilience.FailoverPolicyName}
	if err := c.Get(ctx, key, policy); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return meta.FindStatusCondition(policy.Status.Conditions, common.ConditionTakeover), nil
}

// ReadyAtRest writes Ready of a service that is not to serve at this site: a standby that
// follows, with all that it needs to take over, does what is asked of it.
func (c Conditions) ReadyAtRest(order common.SiteOrder, is *common.SiteStatus) {
	switch {
	case is == nil || is.Role != order.Role:
		c.False(common.ConditionReady, common.ReasonStandingBy, "the service is on its way to the role "+string(order.Role)+" at this site")
	case is.Role != common.SiteStandby:
		c.False(common.ConditionReady, common.ReasonStandingBy, "the service is "+string(is.Role)+" at this site")
	case !is.Ready:
		c.False(common.ConditionReady, common.ReasonStandingBy, "the service stands by and could not take over: "+is.Lacks)
	default:
		c.True(common.ConditionReady, common.ReasonStandingBy, "the service stands by: the other site serves")
	}
}

// Copy writes a condition as another object has it; nil writes nothing.
func (c Conditions) Copy(from *metav1.Condition) {
	if from != nil {
		c.Set(from.Type, from.Status, from.Reason, from.Message)
	}
}
