// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// DatabaseCluster holds the ledger.
func DatabaseCluster(m *api.MessagingService) *unstructured.Unstructured {
	return database.Cluster(database.Args{
		Name: DatabaseName(m), Namespace: m.Namespace, Labels: Labels(m, Database),
		Spec: m.Spec.Database, Topology: m.Spec.Topology,
		Database: "ledger", Owner: "gateway", Profile: database.ProfileLedger,
		Pair: database.NewPair(m.Spec.Site, order(m), m.Spec.Acknowledge == common.AcknowledgeBothSites),
	})
}
