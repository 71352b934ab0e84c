// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/baremetal"
)

// Hosts are the prepared machines of a site.
type Hosts struct {
	pulumi.ResourceState

	// Ready are the hosts in the order of the arguments.
	Ready []component.Host
	// Resources are what a cluster on the hosts depends on.
	Resources []pulumi.Resource
}

// New prepares the hosts, all at the same time.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Hosts, error) {
	h := &Hosts{}
	if err := component.Register(ctx, component.TypeHosts, name, args, h, opts...); err != nil {
		return nil, err
	}
	sandbox, err := args.Images.Ref(registry.Pause)
	if err != nil {
		return nil, err
	}
	ids := pulumi.StringMap{}
	for _, host := range args.Hosts {
		resource, err := baremetal.NewHost(ctx, args.Names.Name(host.Name), &baremetal.HostArgs{
			Name:             pulumi.String(host.Name),
			Address:          pulumi.String(host.Address),
			Ssh:              args.SSH.Of(host.HostKey),
			Labels:           baremetal.LabelsArgs{Site: pulumi.String(args.Site), Rack: pulumi.String(host.Rack)},
			Requirements:     host.Requirements.args(),
			Packages:         packages,
			Sysctls:          sysctls,
			KernelModules:    modules,
			ContainerRuntime: baremetal.ContainerRuntimeArgs{SandboxImage: pulumi.String(sandbox)},
			Registry:         registryArgs(args.Registry),
			HostEntries:      pulumi.StringMap{args.API.Name: pulumi.String(args.API.Address)},
			VirtualAddresses: args.virtualAddresses(host),
		}, pulumi.Parent(h), pulumi.Protect(args.Protect))
		if err != nil {
			return nil, err
		}
		id := resource.Facts.MachineId()
		if known, ok := args.MachineIDs[host.Name]; ok {
			id = pulumi.String(known).ToStringOutput()
		}
		h.Ready = append(h.Ready, component.Host{
			Name: host.Name, Address: host.Address, Rack: host.Rack, Role: host.Role, MachineID: id,
		})
		h.Resources = append(h.Resources, resource)
		ids[host.Name] = id
	}
	return h, component.Done(ctx, h, pulumi.Map{"machineIds": ids})
}

func registryArgs(r registry.Registry) baremetal.RegistryArgs {
	args := baremetal.RegistryArgs{Host: pulumi.String(r.Host)}
	if len(r.Mirrors) > 0 {
		args.Mirrors = pulumi.ToStringArray(r.Mirrors)
	}
	if r.CA != "" {
		args.Ca = pulumi.String(r.CA)
	}
	return args
}
