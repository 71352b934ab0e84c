// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
)

// ServerCertificate is good for the names of the Service inside the cluster,
// those that the resource adds, and the addresses of the load balancer, which
// are empty until it has any.
func ServerCertificate(b *booking.BookingService, loadBalancer []string) *unstructured.Unstructured {
	names := append(certificate.ServiceNames(ServiceName(b), b.Namespace), OpsServerName(b))
	for _, n := range b.Spec.Exposure.HostNames {
		names = append(names, string(n))
	}
	names = append(names, slices.Sorted(slices.Values(loadBalancer))...)
	return certificate.New(certificate.Args{
		Name: certificateName(b), Namespace: b.Namespace, Labels: Labels(b, ComponentService),
		Issuer: b.Spec.Issuers.Platform, Names: unique(names), Usages: []certificate.Usage{certificate.Server},
	})
}

// GatewayClientCertificate names the outbox's mailbox to the message gateway.
func GatewayClientCertificate(b *booking.BookingService) *unstructured.Unstructured {
	return certificate.New(certificate.Args{
		Name: gatewayClientName(b), Namespace: b.Namespace, Labels: Labels(b, ComponentService),
		Issuer: b.Spec.Issuers.Clients, CommonName: b.Spec.Outbox.From, Usages: []certificate.Usage{certificate.Client},
	})
}

// unique keeps the first of each name.
func unique(in []string) []string {
	var out []string
	for _, n := range in {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
