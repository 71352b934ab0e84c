// SPDX-License-Identifier: Apache-2.0

package main

// An engine is a module to take objects from.
type engine struct {
	module string
	// files are in the module's folder.
	files []string
	// out is the file to write, from the top of the repository.
	out string
	// keep are the objects to take, as kind/name; the others are ours to write, or
	// of no use.
	keep map[string]bool
	// open are definitions whose schema is dropped: the operator wants them
	// served, and a site has no such object.
	open map[string]bool
	// without are fields to drop from definitions, by their path below the
	// version's schema.
	without map[string][]string
	// namespace is set on objects that name none and need one.
	namespace string
}

const (
	definition    = "CustomResourceDefinition/"
	cloudNativePG = ".postgresql.cnpg.io"
	certManager   = ".cert-manager.io"
)

var engines = []engine{
	{
		module: "github.com/cert-manager/cert-manager",
		files: []string{
			"deploy/crds/cert-manager.io_certificaterequests.yaml", "deploy/crds/cert-manager.io_certificates.yaml",
			"deploy/crds/cert-manager.io_clusterissuers.yaml", "deploy/crds/cert-manager.io_issuers.yaml",
		},
		out: "infra/platform/certmanager/upstream.yaml",
		keep: set(definition+"certificaterequests"+certManager, definition+"certificates"+certManager,
			definition+"clusterissuers"+certManager, definition+"issuers"+certManager),
		// The issuers that our controller does not have in it.
		without: map[string][]string{
			definition + "clusterissuers" + certManager: {"spec.acme", "spec.vault", "spec.venafi", "status.acme"},
			definition + "issuers" + certManager:        {"spec.acme", "spec.vault", "spec.venafi", "status.acme"},
		},
	},
	{
		module: "github.com/cloudnative-pg/cloudnative-pg",
		files:  []string{"releases/cnpg-1.30.0.yaml"},
		out:    "infra/platform/cloudnativepg/upstream.yaml",
		keep: set(definition+"backups"+cloudNativePG, definition+"clusterimagecatalogs"+cloudNativePG,
			definition+"clusters"+cloudNativePG, definition+"databaseroles"+cloudNativePG, definition+"databases"+cloudNativePG,
			definition+"failoverquorums"+cloudNativePG, definition+"imagecatalogs"+cloudNativePG, definition+"poolers"+cloudNativePG,
			definition+"publications"+cloudNativePG, definition+"scheduledbackups"+cloudNativePG, definition+"subscriptions"+cloudNativePG,
			"ServiceAccount/cnpg-manager", "ClusterRole/cnpg-manager", "ClusterRoleBinding/cnpg-manager-rolebinding",
			"Service/cnpg-webhook-service", "MutatingWebhookConfiguration/cnpg-mutating-webhook-configuration",
			"ValidatingWebhookConfiguration/cnpg-validating-webhook-configuration"),
		open: set(definition+"databaseroles"+cloudNativePG, definition+"poolers"+cloudNativePG, definition+"publications"+cloudNativePG,
			definition+"subscriptions"+cloudNativePG),
	},
	{
		module: "github.com/rabbitmq/cluster-operator/v2",
		files: []string{
			"config/crd/bases/rabbitmq.com_rabbitmqclusters.yaml", "config/rbac/role.yaml", "config/rbac/role_binding.yaml",
			"config/rbac/leader_election_role.yaml", "config/rbac/leader_election_role_binding.yaml", "config/rbac/service_account.yaml",
		},
		out: "infra/platform/rabbitmq/upstream.yaml",
		keep: set(definition+"rabbitmqclusters.rabbitmq.com", "ClusterRole/rabbitmq-cluster-operator-role",
			"ClusterRoleBinding/rabbitmq-cluster-operator-rolebinding", "Role/rabbitmq-cluster-leader-election-role",
			"RoleBinding/rabbitmq-cluster-leader-election-rolebinding", "ServiceAccount/rabbitmq-cluster-operator"),
		namespace: "rabbitmq-system",
	},
}

func set(keys ...string) map[string]bool {
	s := map[string]bool{}
	for _, k := range keys {
		s[k] = true
	}
	return s
}
