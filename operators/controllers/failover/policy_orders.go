// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// fieldOwner of what is written on services, whose specification is somebody else's.
const fieldOwner = client.FieldOwner("spine-failover")

// give the services their orders, each of them whatever becomes of the others.
func (l *look) give(ctx context.Context) error {
	var errs []error
	for _, p := range l.own {
		order := l.orderOf(p)
		if order == p.order {
			continue
		}
		if err := l.annotate(ctx, p.object, order.Annotations()); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		if order.Role != p.order.Role {
			l.Events.Publish(ordered(l.policy, p, order))
		}
		p.order = order
	}
	return errors.Join(errs...)
}

// orderOf one service by the course of all.
func (l *look) orderOf(p *paired) common.SiteOrder {
	order := l.course.Order
	if l.course.Lost && p.order.Role == common.SiteStandby {
		order.Role, order.Alone = common.SiteStandby, false // it follows already
	}
	if order.Role == common.SiteActive {
		order.PromotionToken = l.token(p, order.Epoch)
	}
	return order
}

// token with which a service is promoted: the one that was handed over for this epoch, or its
// own when what it handed over came back; none when it was not a standby, or is promoted
// without the other site.
func (l *look) token(p *paired, epoch int64) string {
	if p.order.Role == common.SiteActive {
		return p.order.PromotionToken // it is promoted already, or is being
	}
	if t := l.policy.Status.Taking; t != nil && t.Epoch == epoch {
		for _, one := range t.Tokens {
			if one.Service == p.name {
				return one.Token
			}
		}
		return ""
	}
	if p.order.Role == common.SiteStandby && p.order.Epoch == epoch {
		return p.status.DemotionToken
	}
	return ""
}

// annotate changes exactly the object that was read. An empty value takes an annotation away.
func (l *look) annotate(ctx context.Context, o client.Object, annotations map[string]string) error {
	values := map[string]any{}
	for key, value := range annotations {
		values[key] = value
		if value == "" {
			values[key] = nil
		}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": o.GetUID(), "resourceVersion": o.GetResourceVersion(), "annotations": values,
	}})
	if err != nil {
		return err
	}
	into := o.DeepCopyObject().(client.Object)
	return l.Client.Patch(ctx, into, client.RawPatch(types.MergePatchType, patch), fieldOwner)
}
