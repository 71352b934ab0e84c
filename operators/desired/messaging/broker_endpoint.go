// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	corev1 "k8s.io/api/core/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// BrokerEndpoint tells the gateways where the broker is that somebody else runs.
func BrokerEndpoint(m *api.MessagingService) *corev1.ConfigMap {
	return endpoint.Broker(meta(m, BrokerName(m), Broker), m.Spec.Broker.Endpoint)
}

// brokerFiles are what it takes to connect, whoever runs the broker.
func brokerFiles(m *api.MessagingService) []corev1.VolumeProjection {
	if e := m.Spec.Broker.Endpoint; e != nil {
		return endpoint.BrokerSources(BrokerName(m), e)
	}
	return []corev1.VolumeProjection{
		restricted.Secret(BrokerName(m)+"-default-user", "username", "password", "host", "port"),
		restricted.Secret(brokerSecret(m), "ca.crt"),
	}
}
