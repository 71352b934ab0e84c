// SPDX-License-Identifier: Apache-2.0

// Package cluster is an environment's Kubernetes on EKS: a private API, nodes in
// every zone, encrypted secrets, and pinned add-ons.
package cluster

import (
	"fmt"
	"net/netip"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say what the cluster should be.
type Args struct {
	Names naming.Namer
	// Account is the environment's AWS account, 12 digits.
	Account string
	// Version is the Kubernetes release, such as "1.33": one of Versions, for
	// which add-ons are pinned. Raise it by one at a time.
	Version string
	// Network is where it runs.
	Network *network.Network
	// Groups are the kinds of machines, 1 to 8; each is in every zone.
	Groups []Group
	// SecretsKeyArn is the KMS key that encrypts Kubernetes' Secrets; it cannot be
	// changed later. VolumesKeyArn is that of the nodes' and pods' volumes.
	SecretsKeyArn, VolumesKeyArn pulumi.StringInput
	// LogKeyArn is the KMS key of the control plane's logs.
	LogKeyArn pulumi.StringInput
	// LogDays is how long they are kept, in days: one of the periods of a year and
	// more that CloudWatch knows.
	LogDays int
	// AdminRoles are ARNs of the roles that administer the cluster, 1 to 10: that
	// of the deployment, and that of break-glass access. Nobody else is let in,
	// not even whoever creates it.
	AdminRoles []pulumi.StringInput
	// Clients are private networks, at most 20, from which the API is reached
	// besides from the nodes: that of the pipeline's runner, and of the office's line.
	Clients []string
	// Tags are those of machines and volumes, which the provider's default tags do
	// not reach: an autoscaling group makes them, and cost is shared out by them.
	Tags map[string]string
	// Protect refuses to delete the cluster, in Pulumi.
	Protect bool
}

// Group is machines of one kind, as many in each zone as in the others: a zone
// that is lost takes a third, and a volume's zone always has a machine.
type Group struct {
	// Name is a DNS label of at most 20 characters.
	Name string
	// InstanceTypes are tried in this order, 1 to 10, all of one size.
	InstanceTypes []string
	// PerZone is how many machines a zone has when the environment is awake, 0 to
	// 100; MostPerZone is how many it may have, so that an update can add before
	// it takes away, and at least PerZone and 1.
	PerZone, MostPerZone int
	// DiskGiB is the size of a machine's disk, 20 to 1000.
	DiskGiB int
	// Labels are the nodes'.
	Labels map[string]string
}

var (
	label = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`)
	// instanceType is one of Intel or AMD: images of this project are built for
	// amd64, and families of Graviton end their generation in a "g" (m7g).
	instanceType = regexp.MustCompile(`^[a-z]+[0-9]+[a-fh-z-]*\.[a-z0-9-]+$`)
)

// Limits of the arguments.
const (
	mostGroups, mostTypes, mostAdmins, mostClients = 8, 10, 10, 20
	mostNodes                                      = 100
	leastDisk, mostDisk                            = 20, 1000
)

// Validate says everything that is wrong with the arguments.
func (a *Args) Validate() error {
	var p component.Problems
	p.Account("account", a.Account)
	p.OneOf("version", a.Version, Versions()...)
	if a.Network == nil {
		p.Add("network", "is not set; pass the environment's network")
	}
	p.Between("groups", len(a.Groups), 1, mostGroups)
	seen := map[string]bool{}
	for i, g := range a.Groups {
		path := fmt.Sprintf("groups[%d]", i)
		if seen[g.Name] {
			p.Add(path+".name", "is %q, as another's; names must differ", g.Name)
		}
		seen[g.Name] = true
		g.validate(&p, path)
	}
	p.Given("secretsKeyArn", a.SecretsKeyArn, "the KMS key for Secrets of Kubernetes")
	p.Given("volumesKeyArn", a.VolumesKeyArn, "the KMS key for volumes")
	p.Given("logKeyArn", a.LogKeyArn, "the KMS key for logs")
	p.Retention("logDays", a.LogDays)
	// Without an administrator nobody could ever come in.
	p.Between("adminRoles", len(a.AdminRoles), 1, mostAdmins)
	p.Between("clients", len(a.Clients), 0, mostClients)
	for i, c := range a.Clients {
		if r, err := netip.ParsePrefix(c); err != nil || r != r.Masked() || !r.Addr().IsPrivate() {
			p.Add(fmt.Sprintf("clients[%d]", i), "is %q; it must be a private network such as 10.0.8.0/24", c)
		}
	}
	return p.Err()
}

func (g Group) validate(p *component.Problems, path string) {
	if !label.MatchString(g.Name) {
		p.Add(path+".name", "is %q; it must be a DNS label of at most 20 characters", g.Name)
	}
	p.Between(path+".instanceTypes", len(g.InstanceTypes), 1, mostTypes)
	for i, t := range g.InstanceTypes {
		if !instanceType.MatchString(t) {
			p.Add(fmt.Sprintf("%s.instanceTypes[%d]", path, i), "is %q; it must be a type of Intel's or AMD's, such as m6i.xlarge", t)
		}
	}
	p.Between(path+".mostPerZone", g.MostPerZone, 1, mostNodes)
	p.Between(path+".perZone", g.PerZone, 0, max(g.MostPerZone, 0))
	p.Between(path+".diskGiB", g.DiskGiB, leastDisk, mostDisk)
}
