// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"slices"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// GatewayReplicas is how many gateways there have to be: the specification's number, or
// more where an operation has asked for more.
func GatewayReplicas(m *api.MessagingService) int32 {
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
