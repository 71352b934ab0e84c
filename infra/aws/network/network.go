// SPDX-License-Identifier: Apache-2.0

package network

import (
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// Subnet is a part of the network in one zone.
type Subnet struct {
	// Zone is its availability zone, such as eu-west-2a.
	Zone string
	// CIDR is its IPv4 range.
	CIDR string
	// ID is AWS's.
	ID pulumi.StringOutput
}

// Network is an environment's network.
type Network struct {
	pulumi.ResourceState

	// VpcID is the network's.
	VpcID pulumi.StringOutput
	// CIDR is its IPv4 range.
	CIDR string
	// Edge subnets hold load balancers and the way out, and nothing else. They are
	// the only ones with a route to and from the Internet.
	Edge []Subnet
	// Apps subnets hold the machines and pods. They reach AWS's services and the
	// allowed networks.
	Apps []Subnet
	// Control subnets hold the network interfaces of the Kubernetes API, apart
	// from pods, so that network policies can name them.
	Control []Subnet
	// Data subnets hold databases and brokers. They have no route out.
	Data []Subnet
	// Endpoints is the security group of the endpoints of AWS's services.
	Endpoints pulumi.StringOutput
	// Allowed is the prefix list of the networks outside that may be reached; nil
	// when there is none. Security groups name it.
	Allowed *pulumi.StringOutput
	// S3 and DynamoDB are the prefix lists of those services' addresses.
	S3, DynamoDB pulumi.StringOutput
}

// IDs are those of subnets, as arguments of resources.
func IDs(subnets []Subnet) pulumi.StringArray {
	var ids pulumi.StringArray
	for _, s := range subnets {
		ids = append(ids, s.ID)
	}
	return ids
}

// CIDRs are the ranges of subnets.
func CIDRs(subnets []Subnet) []string {
	var networks []string
	for _, s := range subnets {
		networks = append(networks, s.CIDR)
	}
	return networks
}

// New makes the network.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	n := &Network{CIDR: args.CIDR}
	if err := component.Register(ctx, component.TypeAWSNetwork, name, args, n, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, args: args, network: n, parent: pulumi.Parent(n)}
	// The order is that of dependence: ways out need edge subnets, tables need ways out.
	for _, step := range []func() error{b.vpc, b.subnets, b.flowLogs, b.edgeRoutes, b.egress, b.inside, b.endpoints} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return n, component.Done(ctx, n, pulumi.Map{"vpcId": n.VpcID, "cidr": pulumi.String(n.CIDR)})
}

// builder makes the parts of a network, each step with what those before have made.
type builder struct {
	ctx     *pulumi.Context
	args    *Args
	network *Network
	parent  pulumi.ResourceOption
	// gateway is the way to the Internet.
	gateway *ec2.InternetGateway
	// appTables are the route tables of the apps' subnets, by zone; innerTable that
	// of the subnets without a way out.
	appTables  []*ec2.RouteTable
	innerTable *ec2.RouteTable
}

// name is that of a part, and tagged so that consoles show it.
func (b *builder) name(parts ...string) string { return b.args.Names.Name(parts...) }

func named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }

func (b *builder) vpc() error {
	name := b.name()
	vpc, err := ec2.NewVpc(b.ctx, name, &ec2.VpcArgs{
		CidrBlock: pulumi.String(b.args.CIDR),
		// Endpoints answer under the services' ordinary names, which needs both.
		EnableDnsHostnames: pulumi.Bool(true),
		EnableDnsSupport:   pulumi.Bool(true),
		Tags:               named(name),
	}, b.parent)
	if err != nil {
		return err
	}
	b.network.VpcID = vpc.ID().ToStringOutput()
	// CIS AWS 5.4: the group that everything without one gets lets nothing through.
	_, err = ec2.NewDefaultSecurityGroup(b.ctx, b.name("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(), Tags: named(b.name("default-closed")),
	}, b.parent)
	if err != nil {
		return err
	}
	b.gateway, err = ec2.NewInternetGateway(b.ctx, name, &ec2.InternetGatewayArgs{VpcId: vpc.ID(), Tags: named(name)}, b.parent)
	return err
}

func (b *builder) subnets() error {
	p := planOf(b.args.CIDR)
	for _, layer := range []struct {
		name   string
		ranges []netip.Prefix
		into   *[]Subnet
	}{
		{"edge", p.edge, &b.network.Edge}, {"apps", p.apps, &b.network.Apps},
		{"control", p.control, &b.network.Control}, {"data", p.data, &b.network.Data},
	} {
		for i, zone := range Zones {
			name := b.name(layer.name, letter(zone))
			s, err := ec2.NewSubnet(b.ctx, name, &ec2.SubnetArgs{
				VpcId:            b.network.VpcID,
				AvailabilityZone: pulumi.String(zone),
				CidrBlock:        pulumi.String(layer.ranges[i].String()),
				// Balancers and ways out bring addresses of their own; machines get none.
				MapPublicIpOnLaunch: pulumi.Bool(false),
				Tags:                named(name),
			}, b.parent)
			if err != nil {
				return err
			}
			*layer.into = append(*layer.into, Subnet{Zone: zone, CIDR: layer.ranges[i].String(), ID: s.ID().ToStringOutput()})
		}
	}
	return nil
}

// letter is what tells zones of the region apart.
func letter(zone string) string { return zone[len(Region):] }
