// SPDX-License-Identifier: Apache-2.0

package site

import (
	"io/fs"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/baremetal/cluster"
	"spine.nhs.uk/controlplane/infra/baremetal/hosts"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/baremetal/site"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/infra/tags"
)

// apiPort is where the Kubernetes API listens, on hosts and at the endpoint.
const apiPort = 6443

// arguments translates the environment, with host keys filled in. ca is the PEM
// text of the registry's authority, project the folder that manifests are in.
func arguments(env *environments.Environment, ca string, project fs.FS) *site.Args {
	args := &site.Args{
		Names:       naming.New(env.Name),
		Tags:        tags.Tags{Environment: env.Name, Owner: env.Owner},
		Name:        env.Site.Name,
		Interface:   env.Site.Interface,
		Nameservers: env.Site.Nameservers,
		SSH:         hosts.SSH{User: env.SSH.User, Port: env.SSH.Port, IdentityFile: moved(env.SSH.IdentityFile)},
		API:         component.Endpoint{Name: env.Endpoint.Name, Address: env.Endpoint.Address, Port: apiPort},
		EdgeAddress: env.Edge.Address,
		RouterID:    environments.RouterID,
		Registry: registry.Registry{
			Host: env.Registry.Host, Repository: env.Registry.Repository, Mirrors: env.Registry.Mirrors, CA: ca,
		},
		Version: env.Kubernetes.Version,
		Network: site.Network{
			Files:       project,
			Manifests:   env.Network.Manifests,
			Images:      env.Network.Images,
			PodCIDR:     env.Kubernetes.PodCIDR,
			ServiceCIDR: env.Kubernetes.ServiceCIDR,
			DNSDomain:   env.Kubernetes.DNSDomain,
		},
		VolumesPath: env.Storage.Path,
		Protect:     env.Class == environments.ClassLive || env.Class == environments.ClassRecovery,
		Timings: cluster.Timings{
			EtcdHeartbeatMs:         env.Timings.EtcdHeartbeatMs,
			EtcdElectionMs:          env.Timings.EtcdElectionMs,
			NodeMonitorGraceSeconds: env.Timings.NodeMonitorGraceSeconds,
			LeaseSeconds:            env.Timings.LeaseSeconds,
			EvictionSeconds:         env.Timings.EvictionSeconds,
		},
	}
	for _, h := range env.Hosts {
		args.Hosts = append(args.Hosts, hosts.Host{
			Name: h.Name, Address: h.Address, Rack: h.Rack, Role: string(h.Role), HostKey: h.HostKey,
			Requirements: hosts.Requirements{
				CPUs: h.Requirements.CPUs, MemoryMiB: h.Requirements.MemoryMiB, DiskGiB: h.Requirements.DiskGiB,
			},
		})
	}
	return args
}
