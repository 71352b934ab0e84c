// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// ForPeer is what the other site needs to follow this one's database and to probe its
// gateways; nothing where there is one site only.
func ForPeer(m *api.MessagingService, edge []string) ([]*unstructured.Unstructured, []*corev1.Service) {
	site := m.Spec.Site
	if site == nil {
		return nil, nil
	}
	for _, name := range m.Spec.Exposure.HostNames {
		edge = append(edge, string(name))
	}
	db, class := DatabaseName(m), m.Spec.Exposure.LoadBalancerClass
	certificates := database.Certificates(db, m.Spec.Issuers.Platform, meta(m, db, Database), edge)
	return certificates, []*corev1.Service{
		database.EdgeService(meta(m, database.EdgeName(db), Database), site, class, database.Primary(db), site.DatabasePort, database.Port),
		database.EdgeService(meta(m, OpsName(m)+"-edge", Gateway), site, class, Selector(m, Gateway), site.OpsPort, opsPort),
	}
}
