// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"maps"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Diff compares what each member shall be with what it was last seen to be.
// Its keys name the member and the item, such as
// members["b"].kubeletVersion. It uses no network and never replaces: what
// would need a new cluster is refused by Check.
func (c *Cluster) Diff(_ context.Context, req infer.DiffRequest[ClusterArgs, ClusterState]) (infer.DiffResponse, error) {
	d := diffMembers(req.State.Members, req.Inputs.desiredMembers())
	return infer.DiffResponse{HasChanges: len(d) > 0, DetailedDiff: d}, nil
}

func diffMembers(seen, desired map[string]ClusterMember) map[string]p.PropertyDiff {
	out := map[string]p.PropertyDiff{}
	for _, name := range slices.Sorted(maps.Keys(desired)) {
		at := fmt.Sprintf("members[%q]", name)
		was, ok := seen[name]
		if !ok {
			out[at] = p.PropertyDiff{Kind: p.Add}
			continue
		}
		for _, item := range diffMember(was, desired[name]) {
			out[at+item] = p.PropertyDiff{Kind: p.Update}
		}
	}
	for name := range seen {
		if _, ok := desired[name]; !ok {
			out[fmt.Sprintf("members[%q]", name)] = p.PropertyDiff{Kind: p.Delete}
		}
	}
	return out
}

// diffMember lists the items that differ, as property paths within a member.
func diffMember(was, now ClusterMember) []string {
	var out []string
	add := func(differs bool, path string) {
		if differs {
			out = append(out, path)
		}
	}
	add(was.Role != now.Role, ".role")
	// Not known in a preview that also makes the host: then the name decides.
	add(was.MachineID != now.MachineID && now.MachineID != "", ".machineId")
	add(was.KubeletVersion != now.KubeletVersion, ".kubeletVersion")
	add(was.Kubelet != now.Kubelet, ".kubelet")
	add(was.EtcdMember != now.EtcdMember, ".etcdMember")
	add(was.Configuration != now.Configuration, ".configuration")
	add(was.Schedulable != now.Schedulable, ".schedulable")
	for _, f := range slices.Sorted(maps.Keys(now.Files)) {
		add(was.Files[f] != now.Files[f], fmt.Sprintf(".files[%q]", f))
	}
	for _, l := range slices.Sorted(maps.Keys(now.Labels)) {
		add(was.Labels[l] != now.Labels[l] && now.Labels[l] != "", fmt.Sprintf(".labels[%q]", l))
	}
	return out
}

// WireDependencies tells the engine that a change of members leaves the
// kubeconfig as it is, so that a preview can go on to what is in the cluster.
func (c *Cluster) WireDependencies(f infer.FieldSelector, args *ClusterArgs, state *ClusterState) {
	for _, out := range []infer.OutputField{f.OutputField(&state.Kubeconfig), f.OutputField(&state.CACertificate)} {
		out.DependsOn(f.InputField(&args.Name).Computed(), f.InputField(&args.Endpoint).Computed())
	}
	f.OutputField(&state.Kubeconfig).AlwaysSecret()
}
