// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"maps"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	controlPlane = "ControlPlane"
	// fewest is the least that survives the loss of one.
	fewest = 3
)

// members are the hosts that hold a part of the cluster's own data.
func members(r policy.Resource) []policy.Node {
	var found []policy.Node
	for _, host := range r.Input("hosts").Items() {
		if host.At("role").Text() == controlPlane {
			found = append(found, host)
		}
	}
	return found
}

func quorumSize(r policy.Resource, in policy.Environment) []policy.Finding {
	hosts := r.Input("hosts")
	if hosts.Hidden() {
		return nil
	}
	switch n := len(members(r)); {
	case n%2 == 0:
		return []policy.Finding{hosts.Found("there are %d control planes, an even number", n)}
	case n < fewest && in.Live():
		return []policy.Finding{hosts.Found("there are %d control planes, and a live environment has at least %d", n, fewest)}
	}
	return nil
}

func quorumSpread(r policy.Resource, _ policy.Environment) []policy.Finding {
	all := members(r)
	if len(all) < fewest {
		return nil // there is no quorum that could be kept
	}
	var found []policy.Finding
	racks := map[string]int{}
	for _, host := range all {
		rack := host.At("labels", "rack")
		if rack.Hidden() {
			return nil
		}
		if rack.Text() == "" {
			found = append(found, rack.Found("it is not said in which rack %s is", host.At("name").Text()))
			continue
		}
		racks[rack.Text()]++
	}
	most := (len(all) - 1) / 2
	for _, rack := range slices.Sorted(maps.Keys(racks)) {
		if racks[rack] > most {
			found = append(found, r.Input("hosts").Found("rack %s holds %d of %d control planes, and may hold %d", rack, racks[rack], len(all), most))
		}
	}
	return found
}
