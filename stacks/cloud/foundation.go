// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/cluster"
	"spine.nhs.uk/controlplane/infra/aws/dns"
	"spine.nhs.uk/controlplane/infra/aws/identity"
	"spine.nhs.uk/controlplane/infra/aws/keys"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/aws/observability"
)

// group is the name of the only kind of machines: services, operators and, where it is in
// the cluster, the broker share them.
const group = "general"

func (s *stack) makeIdentity() (err error) {
	d := s.env.Deployment
	args := &identity.Args{
		Names: s.names, Environment: s.env.Name, Account: s.account, Types: s.types, StateBucket: d.StateBucket,
		StateKeyArn: fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", s.env.Region, s.account, d.StateKey),
	}
	for _, name := range d.Deployers {
		args.Deployers = append(args.Deployers, s.role(name))
	}
	if s.backups != "" {
		args.Elsewhere = []string{s.copies()}
	}
	if s.identity, err = identity.New(s.ctx, s.name, args, s.by()); err != nil {
		return err
	}
	return s.identity.Bound(s.ctx)
}

func (s *stack) makeZone() (err error) {
	// Public even where the edge is not: AWS proves a certificate by public records only.
	s.zone, err = dns.NewZone(s.ctx, s.name, &dns.ZoneArgs{Names: s.names, Zone: s.env.Edge.Domain, Public: true}, s.by())
	return err
}

func (s *stack) makeKeys() (err error) {
	args := &keys.Args{
		Names: s.names, Account: s.account, Region: string(s.env.Region), Protect: s.serving(), Deletable: s.deletable(), BackupAccount: s.backups,
		// Where patients are served, sites vote about which one serves them.
		Witness: s.serving(),
	}
	if s.hasBooking() {
		args.Certificate = &keys.Certificate{Domains: []string{s.env.Edge.Domain, "*." + s.env.Edge.Domain}, ZoneID: s.zone.ZoneID}
	}
	s.keys, err = keys.New(s.ctx, s.name, args, s.by())
	return err
}

func (s *stack) makeNetwork() (err error) {
	s.network, err = network.New(s.ctx, s.name, &network.Args{
		Names: s.names, Account: s.account, CIDR: s.env.Network.CIDR, EgressZones: s.env.Network.EgressZones, Allowed: allowed(s.env),
		LogKeyArn: s.keys.ARN[keys.Logs], LogDays: s.env.Logs.RetentionDays,
	}, s.by())
	return err
}

func allowed(env *environments.Cloud) []network.Allowed {
	var list []network.Allowed
	for _, e := range env.Network.Egress {
		list = append(list, network.Allowed{CIDR: e.CIDR, Purpose: e.Purpose})
	}
	return list
}

func (s *stack) makeAlerts() (err error) {
	s.alerts, err = observability.NewTopic(s.ctx, s.name, s.watched(), s.by())
	return err
}

func (s *stack) makeCluster() (err error) {
	c := s.env.Cluster
	args := &cluster.Args{
		Names: s.names, Account: s.account, Version: c.Version, Network: s.network,
		Groups: []cluster.Group{{
			Name: group, InstanceTypes: []string{c.InstanceType}, PerZone: c.NodesPerZone, MostPerZone: c.MostPerZone, DiskGiB: c.DiskGiB,
		}},
		SecretsKeyArn: s.keys.ARN[keys.Platform], VolumesKeyArn: s.keys.ARN[keys.Platform], LogKeyArn: s.keys.ARN[keys.Logs],
		LogDays:    s.env.Logs.RetentionDays,
		Clients:    c.Clients,
		Protect:    s.serving(),
		Tags:       s.facts(),
		AdminRoles: []pulumi.StringInput{s.identity.DeployRoleArn},
	}
	for _, name := range s.env.Deployment.Administrators {
		args.AdminRoles = append(args.AdminRoles, pulumi.String(s.role(name)))
	}
	s.cluster, err = cluster.New(s.ctx, s.name, args, s.by())
	return err
}
