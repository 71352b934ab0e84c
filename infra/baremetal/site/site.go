// SPDX-License-Identifier: Apache-2.0

package site

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/baremetal/cluster"
	"spine.nhs.uk/controlplane/infra/baremetal/hosts"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine"
)

// Site is a site with its cluster.
type Site struct {
	pulumi.ResourceState

	// Cluster is what software is installed on.
	Cluster component.Cluster
	// Hosts are the members of the cluster.
	Hosts []component.Host
	// Edge is where traffic from outside enters, over TLS.
	Edge component.Endpoint
	// Images are the images of the site's registry, by digest.
	Images component.Images
	// Provider applies what goes into the cluster.
	Provider pulumi.ProviderResource
}

// edgePort is where the entry point takes TLS.
const edgePort = 443

// New makes the site. Before anything else it looks at every host and image;
// if one is not as it should be, the error says all that is wrong and nothing
// is planned.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Site, error) {
	s := &Site{}
	if err := component.Register(ctx, component.TypeSite, name, args, s, opts...); err != nil {
		return nil, err
	}
	provider, err := spine.NewProvider(ctx, name, &spine.ProviderArgs{}, pulumi.Parent(s))
	if err != nil {
		return nil, err
	}
	seen, err := look(ctx, args, provider)
	if err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(s), pulumi.Providers(provider)}

	prepared, err := hosts.New(ctx, name, args.hosts(seen.Images, seen.machineIDs), under...)
	if err != nil {
		return nil, err
	}
	made, err := cluster.New(ctx, name, &cluster.Args{
		Name:        args.Names.Name(),
		Site:        args.Name,
		Version:     args.Version,
		Binaries:    seen.Binaries,
		Registry:    args.Registry,
		API:         args.API,
		PodCIDR:     args.Network.PodCIDR,
		ServiceCIDR: args.Network.ServiceCIDR,
		DNSDomain:   args.Network.DNSDomain,
		Timings:     args.Timings,
		SSH:         args.SSH,
		Hosts:       args.Hosts,
		Prepared:    prepared,
		Protect:     args.Protect,
	}, under...)
	if err != nil {
		return nil, err
	}
	addons, err := newAddons(ctx, name, &addonArgs{site: args, images: seen.Images, cluster: made.Cluster}, under...)
	if err != nil {
		return nil, err
	}
	made.Cluster.Addons = addons
	s.Cluster, s.Hosts = made.Cluster, prepared.Ready
	s.Images, s.Provider = seen.Images, provider
	s.Edge = component.Endpoint{Address: args.EdgeAddress, Port: edgePort}
	return s, component.Done(ctx, s, pulumi.Map{
		"apiEndpoint": pulumi.String(args.API.URL()),
		"edgeAddress": pulumi.String(args.EdgeAddress),
	})
}

// found is what was there before anything was planned.
type found struct {
	registry.Content
	machineIDs map[string]string
}

// look checks hosts and finds images.
func look(ctx *pulumi.Context, args *Args, provider pulumi.ProviderResource) (found, error) {
	images := registry.Catalogue(args.Version, args.moreImages())
	if args.Offline {
		return found{Content: registry.Unresolved(args.Registry, images, args.Version)}, nil
	}
	ids, err := hosts.Preflight(ctx, args.Names.Name(), args.Version, args.hosts(nil, nil), pulumi.Provider(provider))
	if err != nil {
		return found{}, err
	}
	content, err := registry.Resolve(ctx, args.Registry, images, args.Version, pulumi.Provider(provider))
	return found{Content: content, machineIDs: ids}, err
}
