// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"spine.nhs.uk/controlplane/infra/component/manifests"
	"spine.nhs.uk/controlplane/infra/platform/cloudnativepg"
	"spine.nhs.uk/controlplane/infra/platform/rabbitmq"
	"spine.nhs.uk/controlplane/infra/platform/volumes"
)

// engines are the operators of the engines that run in the cluster, with storage for them.
func (a *Args) engines(in manifests.Inputs) ([]manifests.Set, error) {
	var sets []manifests.Set
	for _, engine := range []struct {
		here  bool
		build func() (manifests.Set, error)
	}{
		{
			a.Messaging.Database.Elsewhere == nil || a.Booking != nil && a.Booking.Database.Elsewhere == nil,
			func() (manifests.Set, error) { return cloudnativepg.Set(in) },
		},
		{a.Messaging.Broker.Elsewhere == nil, func() (manifests.Set, error) { return rabbitmq.Set(in) }},
		{a.VolumesKey != "", func() (manifests.Set, error) { return volumes.Set(a.VolumesKey, in) }},
	} {
		if !engine.here {
			continue
		}
		set, err := engine.build()
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}
