// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
)

// Certificates of the gateways towards clients and the platform (good for the edge
// address too, once it is known), of the gateways as clients of endpoints, and of the
// broker's nodes towards clients and each other. The database's are CloudNativePG's.
func Certificates(m *api.MessagingService, edge []string) []*unstructured.Unstructured {
	server := append(certificate.ServiceNames(GatewayName(m), m.Namespace), certificate.ServiceNames(OpsName(m), m.Namespace)...)
	for _, name := range m.Spec.Exposure.HostNames {
		server = append(server, string(name))
	}
	server = append(server, edge...)
	slices.Sort(server)
	out := []*unstructured.Unstructured{
		certificate.New(certificate.Args{
			Name: gatewaySecret(m), Namespace: m.Namespace, Labels: Labels(m, Gateway), Issuer: m.Spec.Issuers.Platform,
			Names: slices.Compact(server), Usages: []certificate.Usage{certificate.Server},
		}),
		certificate.New(certificate.Args{
			Name: clientSecret(m), Namespace: m.Namespace, Labels: Labels(m, Gateway), Issuer: m.Spec.Issuers.Clients,
			CommonName: GatewayName(m) + "." + m.Namespace, Names: []string{GatewayName(m) + "." + m.Namespace + ".svc"},
			Usages: []certificate.Usage{certificate.Client},
		}),
	}
	if m.Spec.Broker.Elsewhere() {
		return out
	}
	nodes := BrokerName(m) + "-nodes." + m.Namespace
	broker := append(certificate.ServiceNames(BrokerName(m), m.Namespace), "*."+nodes, "*."+nodes+".svc", "*."+nodes+".svc.cluster.local")
	return append(out, certificate.New(certificate.Args{
		Name: brokerSecret(m), Namespace: m.Namespace, Labels: Labels(m, Broker), Issuer: m.Spec.Issuers.Platform,
		Names: broker, Usages: []certificate.Usage{certificate.Server, certificate.Client},
	}))
}
