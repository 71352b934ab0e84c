// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"slices"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// order of this site's manager; the controller leaves a service alone whose order makes no sense.
func order(m *api.MessagingService) common.SiteOrder {
	o, _ := common.Order(m.Annotations, m.Spec.Site)
	return o
}

// Serves says whether the gateways are to run at this site.
func Serves(m *api.MessagingService) bool { return order(m).Role == common.SiteActive }

// GatewayReplicas is how many gateways there have to be: none at a site that is not to
// serve, and none while an operation holds the service; else the specification's number, or more where an operation has asked for more.
func GatewayReplicas(m *api.MessagingService) int32 {
	if !Serves(m) || common.Held(m.Annotations) {
		return 0
	}
	return common.Replicas(m.Annotations, m.Spec.Gateway.Replicas)
}

// Suppliers are those of the specification, with the traffic stopped of those that an
// operation has put in quarantine.
func Suppliers(m *api.MessagingService) []api.Supplier {
	out := slices.Clone(m.Spec.Suppliers)
	quarantine := common.StoppedSuppliers(m.Annotations)
	for i := range out {
		if slices.Contains(quarantine, out[i].Name) {
			out[i].Traffic = api.TrafficStopped
		}
	}
	return out
}
