// SPDX-License-Identifier: Apache-2.0

// Package database builds the PostgreSQL of a service, as a Cluster of
// CloudNativePG, and reads how one is.
//
// Objects are unstructured: CloudNativePG's Go types require newer Kubernetes
// libraries than the rest of this repository is built with.
package database

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/endpoint"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// GVK of a Cluster.
var GVK = schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "Cluster"}

// Port of PostgreSQL; it accepts TLS only.
const Port = 5432

// StatusPort on which CloudNativePG asks each instance how it is.
const StatusPort = 8000

// ClusterLabel and RoleLabel are those that CloudNativePG puts on every pod of
// a Cluster, and on those that are instances of it.
const (
	ClusterLabel = "cnpg.io/cluster"
	RoleLabel    = "cnpg.io/podRole"
	// InstanceRoleLabel says of an instance whether it is PrimaryRole.
	InstanceRoleLabel = "cnpg.io/instanceRole"
	PrimaryRole       = "primary"
	// RoleInstance is the value of RoleLabel of an instance.
	RoleInstance = "instance"
)

// Host is the DNS name under which the primary of a Cluster accepts writes.
func Host(cluster, namespace string) string { return cluster + "-rw." + namespace + ".svc" }

// UserSecret is the Secret with username and password of a Cluster's owner.
func UserSecret(cluster string) string { return cluster + "-app" }

// CASecret is the Secret with the authority (ca.crt) that signed the
// certificates of a Cluster's instances: CloudNativePG's own for this Cluster, or
// the platform's where another site has to believe them.
func CASecret(cluster string, site *common.SiteSpec) string {
	if site != nil {
		return serverSecret(cluster)
	}
	return cluster + "-ca"
}

// Files are what a program needs to connect as the owner, whoever runs the database; cluster
// names the Cluster that there is or would be.
func Files(cluster string, spec common.DatabaseSpec, site *common.SiteSpec) []corev1.VolumeProjection {
	if spec.Elsewhere() {
		return endpoint.DatabaseSources(cluster, spec.Endpoint)
	}
	return []corev1.VolumeProjection{
		restricted.Secret(UserSecret(cluster), "username", "password", "host", "port", "dbname"),
		restricted.Secret(CASecret(cluster, site), "ca.crt"),
	}
}

// serverSecret and replicationSecret hold the certificates of a Cluster of two sites.
func serverSecret(cluster string) string      { return cluster + "-server" }
func replicationSecret(cluster string) string { return cluster + "-replicas" }
