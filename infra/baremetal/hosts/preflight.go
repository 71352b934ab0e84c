// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/baremetal"
)

// Preflight looks at all hosts at once, changes nothing, and returns their
// machine IDs by name. The error lists every problem of every host: nothing is
// planned, let alone begun, while one has any. version is the Kubernetes version
// that the cluster is to have.
func Preflight(ctx *pulumi.Context, cluster, version string, args *Args, opts ...pulumi.InvokeOption) (map[string]string, error) {
	in := &baremetal.PreflightArgs{Cluster: &cluster, Version: &version}
	r := args.Registry.Plain()
	in.Registry = &r
	for _, h := range args.Hosts {
		ssh := baremetal.SSH{HostKey: h.HostKey, User: &args.SSH.User, Port: &args.SSH.Port}
		if args.SSH.IdentityFile != "" {
			ssh.IdentityFile = &args.SSH.IdentityFile
		}
		in.Hosts = append(in.Hosts, baremetal.PreflightHost{
			Name: h.Name, Address: h.Address, Ssh: ssh,
			Requirements: &baremetal.Requirements{
				Cpus: &h.Requirements.CPUs, MemoryMiB: &h.Requirements.MemoryMiB, DiskGiB: &h.Requirements.DiskGiB,
			},
		})
	}
	result, err := baremetal.Preflight(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for name, facts := range result.Facts {
		ids[name] = facts.MachineId
	}
	return ids, nil
}
