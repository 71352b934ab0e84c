// SPDX-License-Identifier: Apache-2.0

package booking

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
)

// DatabaseEndpoint tells the program where the database is that somebody else runs.
func DatabaseEndpoint(b *booking.BookingService) *corev1.ConfigMap {
	return endpoint.Database(meta(b, DatabaseName(b), ComponentDatabase), b.Spec.Database.Endpoint)
}

// Database is the Cluster of CloudNativePG that holds the truth.
func Database(b *booking.BookingService) *unstructured.Unstructured {
	return database.Cluster(databaseArgs(b))
}

// DatabaseSchedule has it copied to the object store every night.
func DatabaseSchedule(b *booking.BookingService) *unstructured.Unstructured {
	return database.Schedule(databaseArgs(b))
}

func databaseArgs(b *booking.BookingService) database.Args {
	return database.Args{
		Name: DatabaseName(b), Namespace: b.Namespace, Labels: Labels(b, ComponentDatabase),
		Spec: b.Spec.Database, Topology: b.Spec.Topology,
		Database: "booking", Owner: "booking", Profile: database.ProfileInteractive,
		Pair: database.NewPair(b.Spec.Site, order(b), b.Spec.Acknowledge == common.AcknowledgeBothSites),
	}
}
