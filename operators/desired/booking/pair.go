// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// ForPeer is what the other site needs to follow this one's database and to probe its
// program; nothing where there is one site only.
func ForPeer(b *booking.BookingService, loadBalancer []string) ([]*unstructured.Unstructured, []*corev1.Service) {
	site := b.Spec.Site
	if site == nil {
		return nil, nil
	}
	edge := slices.Clone(loadBalancer)
	for _, name := range b.Spec.Exposure.HostNames {
		edge = append(edge, string(name))
	}
	db, class := DatabaseName(b), b.Spec.Exposure.LoadBalancerClass
	certificates := database.Certificates(db, b.Spec.Issuers.Platform, meta(b, db, ComponentDatabase), unique(edge))
	return certificates, []*corev1.Service{
		database.EdgeService(meta(b, database.EdgeName(db), ComponentDatabase), site, class, database.Primary(db), site.DatabasePort, database.Port),
		database.EdgeService(meta(b, OpsName(b)+"-edge", ComponentService), site, class, Selector(b, ComponentService), site.OpsPort, OpsPort),
	}
}
