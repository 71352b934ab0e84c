// SPDX-License-Identifier: Apache-2.0

package booking

import (
	networkingv1 "k8s.io/api/networking/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restore"
)

// Restorable is what a copy of the database is made by.
func Restorable(b *booking.BookingService) restore.Service {
	return restore.Service{
		Database:  databaseArgs(b),
		Opened:    func(cluster string) *networkingv1.NetworkPolicy { return databasePolicyOf(b, cluster) },
		Resources: b.Spec.Service.Resources,
	}
}
