// SPDX-License-Identifier: Apache-2.0

// Package cluster makes a Kubernetes cluster of a site's hosts.
package cluster

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/baremetal/hosts"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/baremetal"
)

// Timings say how fast failures are noticed; see the environment's.
type Timings struct {
	EtcdHeartbeatMs, EtcdElectionMs                        int
	NodeMonitorGraceSeconds, LeaseSeconds, EvictionSeconds int
}

// Args say what the cluster should be.
type Args struct {
	// Name is the cluster's, a DNS label of at most 40 characters.
	Name string
	// Site is the region of its nodes.
	Site string
	// Version is an exact Kubernetes release, such as v1.36.3.
	Version     string
	Binaries    registry.Binaries
	Registry    registry.Registry
	API         component.Endpoint
	PodCIDR     string
	ServiceCIDR string
	DNSDomain   string
	Timings     Timings
	SSH         hosts.SSH
	// Hosts are the machines as configured; Prepared are the same, made ready.
	Hosts    []hosts.Host
	Prepared *hosts.Hosts
	// Protect has Pulumi refuse to remove it.
	Protect bool
}

// Validate says what a caller forgot; people's mistakes are found before.
func (a *Args) Validate() error {
	if a.Prepared == nil || len(a.Prepared.Ready) != len(a.Hosts) {
		return errors.New("not every host is prepared")
	}
	if a.Name == "" || a.Version == "" || a.Binaries.URL == "" {
		return errors.New("name, version and binaries are needed")
	}
	return nil
}

// Cluster is a highly available Kubernetes cluster, as far as its hosts allow.
type Cluster struct {
	pulumi.ResourceState

	component.Cluster
}

// New makes the cluster.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	c := &Cluster{}
	if err := component.Register(ctx, component.TypeCluster, name, args, c, opts...); err != nil {
		return nil, err
	}
	resource, err := baremetal.NewCluster(ctx, name, &baremetal.ClusterArgs{
		Name:              pulumi.String(args.Name),
		KubernetesVersion: pulumi.String(args.Version),
		Binaries: baremetal.ClusterBinariesArgs{
			Url: pulumi.String(args.Binaries.URL), Digest: pulumi.String(args.Binaries.Digest),
		},
		ImageRepository: pulumi.String(args.Registry.ImageRepository()),
		ImageTags:       baremetal.ClusterImageTagsArgs{Etcd: pulumi.String(registry.EtcdTag)},
		Endpoint: baremetal.ClusterEndpointArgs{
			Name: pulumi.String(args.API.Name), Address: pulumi.String(args.API.Address), Port: pulumi.Int(args.API.Port),
		},
		Network: baremetal.ClusterNetworkArgs{
			PodCIDR: pulumi.String(args.PodCIDR), ServiceCIDR: pulumi.String(args.ServiceCIDR), DnsDomain: pulumi.String(args.DNSDomain),
		},
		Hosts:                    args.members(),
		SchedulableControlPlanes: pulumi.Bool(true),
		Etcd: baremetal.ClusterEtcdArgs{
			HeartbeatMs: pulumi.Int(args.Timings.EtcdHeartbeatMs), ElectionMs: pulumi.Int(args.Timings.EtcdElectionMs),
		},
		Timings: baremetal.ClusterTimingsArgs{
			NodeMonitorGraceSeconds: pulumi.Int(args.Timings.NodeMonitorGraceSeconds),
			UnreachableSeconds:      pulumi.Int(args.Timings.EvictionSeconds),
			LeaseSeconds:            pulumi.Int(args.Timings.LeaseSeconds),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(args.Prepared.Resources), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, err
	}
	c.Cluster = component.Cluster{
		Name:          args.Name,
		API:           args.API,
		Kubeconfig:    pulumi.ToSecret(resource.Kubeconfig).(pulumi.StringOutput),
		CACertificate: resource.CaCertificate,
		APIServers:    args.apiServers(),
		Resource:      resource,
	}
	return c, component.Done(ctx, c, pulumi.Map{
		"endpoint":      pulumi.String(args.API.URL()),
		"caCertificate": c.CACertificate,
	})
}

// apiServers are the addresses of the control planes.
func (a *Args) apiServers() []string {
	var networks []string
	for _, h := range a.Hosts {
		if h.Role == hosts.RoleControlPlane {
			networks = append(networks, h.Address+"/32")
		}
	}
	return networks
}

func (a *Args) members() baremetal.ClusterHostArray {
	var members baremetal.ClusterHostArray
	for i, h := range a.Hosts {
		members = append(members, baremetal.ClusterHostArgs{
			Name:      pulumi.String(h.Name),
			Address:   pulumi.String(h.Address),
			Ssh:       a.SSH.Of(h.HostKey),
			Role:      pulumi.String(h.Role),
			MachineId: a.Prepared.Ready[i].MachineID,
			Labels:    baremetal.LabelsArgs{Site: pulumi.String(a.Site), Rack: pulumi.String(h.Rack)},
		})
	}
	return members
}
