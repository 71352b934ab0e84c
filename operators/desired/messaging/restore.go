// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	networkingv1 "k8s.io/api/networking/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restore"
)

// Restorable is what a copy of the ledger is made by.
func Restorable(m *api.MessagingService) restore.Service {
	return restore.Service{
		Database:  databaseArgs(m),
		Opened:    func(cluster string) *networkingv1.NetworkPolicy { return databasePolicyOf(m, cluster) },
		Resources: m.Spec.Gateway.Resources,
	}
}
