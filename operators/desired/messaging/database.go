// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
)

// DatabaseEndpoint tells the gateways where the database is that somebody else runs.
func DatabaseEndpoint(m *api.MessagingService) *corev1.ConfigMap {
	return endpoint.Database(meta(m, DatabaseName(m), Database), m.Spec.Database.Endpoint)
}

// DatabaseCluster holds the ledger.
func DatabaseCluster(m *api.MessagingService) *unstructured.Unstructured {
	return database.Cluster(databaseArgs(m))
}

// DatabaseSchedule has the ledger copied to the object store every night.
func DatabaseSchedule(m *api.MessagingService) *unstructured.Unstructured {
	return database.Schedule(databaseArgs(m))
}

func databaseArgs(m *api.MessagingService) database.Args {
	return database.Args{
		Name: DatabaseName(m), Namespace: m.Namespace, Labels: Labels(m, Database),
		Spec: m.Spec.Database, Topology: m.Spec.Topology,
		Database: "ledger", Owner: "gateway", Profile: database.ProfileLedger,
		Pair: database.NewPair(m.Spec.Site, order(m), m.Spec.Acknowledge == common.AcknowledgeBothSites),
	}
}
