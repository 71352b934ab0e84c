// SPDX-License-Identifier: Apache-2.0

package site

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/baremetal/dns"
	"spine.nhs.uk/controlplane/infra/baremetal/edge"
	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
	"spine.nhs.uk/controlplane/infra/baremetal/network"
	"spine.nhs.uk/controlplane/infra/baremetal/storage"
	"spine.nhs.uk/controlplane/infra/component"
)

// addons are what every cluster of a site needs.
type addons struct {
	pulumi.ResourceState
}

type addonArgs struct {
	site    *Args
	images  component.Images
	cluster component.Cluster
}

// Validate says what a caller forgot.
func (a *addonArgs) Validate() error {
	if a.cluster.Resource == nil || len(a.images) == 0 {
		return errors.New("a cluster and images are needed")
	}
	return nil
}

// newAddons applies all sets at the same time: pods that need the network wait
// for it by themselves, which takes less time than an order would.
func newAddons(ctx *pulumi.Context, name string, args *addonArgs, opts ...pulumi.ResourceOption) (*addons, error) {
	a := &addons{}
	if err := component.Register(ctx, component.TypeAddons, name, args, a, opts...); err != nil {
		return nil, err
	}
	sets, err := args.sets()
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if _, err := manifests.Apply(ctx, args.site.Names.Name(set.Name), set, args.cluster, pulumi.Parent(a)); err != nil {
			return nil, err
		}
	}
	return a, component.Done(ctx, a, pulumi.Map{})
}

func (a *addonArgs) sets() ([]manifests.Set, error) {
	p, err := a.params()
	if err != nil {
		return nil, err
	}
	var sets []manifests.Set
	for _, build := range []func(manifests.Params) (manifests.Set, error){a.network, dns.Set, storage.Set, edge.Set} {
		set, err := build(p)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}

func (a *addonArgs) network(p manifests.Params) (manifests.Set, error) {
	if n := a.site.Network; len(n.Manifests) > 0 {
		return network.CustomSet(n.Files, n.Manifests, p)
	}
	return network.Set(p)
}

func (a *addonArgs) params() (manifests.Params, error) {
	dnsAddress, err := dns.Address(a.site.Network.ServiceCIDR)
	if err != nil {
		return manifests.Params{}, err
	}
	return manifests.Params{
		Images:      a.images,
		Labels:      a.site.Tags.Labels(),
		PodCIDR:     a.site.Network.PodCIDR,
		ServiceCIDR: a.site.Network.ServiceCIDR,
		DNSAddress:  dnsAddress,
		DNSDomain:   a.site.Network.DNSDomain,
		Nameservers: a.site.Nameservers,
		DNSReplicas: dns.Replicas(len(a.site.Hosts)),
		APIName:     a.site.API.Name,
		APIAddress:  a.site.API.Address,
		APIPort:     a.site.API.Port,
		EdgeAddress: a.site.EdgeAddress,
		VolumesPath: a.site.VolumesPath,
		KeepVolumes: a.site.Protect,
	}, nil
}
