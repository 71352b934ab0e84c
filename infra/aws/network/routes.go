// SPDX-License-Identifier: Apache-2.0

package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// edgeRoutes lets balancers answer clients, who are anywhere.
func (b *builder) edgeRoutes() error {
	table, err := b.table("edge")
	if err != nil {
		return err
	}
	_, err = ec2.NewRoute(b.ctx, b.name("edge-internet"), &ec2.RouteArgs{
		RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String("0.0.0.0/0"), GatewayId: b.gateway.ID(),
	}, b.parent)
	if err != nil {
		return err
	}
	return b.associate("edge", b.network.Edge, func(int) *ec2.RouteTable { return table })
}

// egress is the one way out: translated addresses that partners can name in their
// own lists, and routes to the allowed networks only.
//
// A route, not a firewall, because what a cluster needs from outside is few
// networks that are known (suppliers' and trusts' addresses are registered with the
// services), AWS's own services have endpoints, and images come from ECR's. What is
// not listed has no route, so there is nothing to get wrong later in the path, to
// fail, or to fill up. AWS Network Firewall would filter by names, which a program
// that wants out can forge in its handshake, for three endpoints that cost more
// (about 860 USD a month in three zones) than a whole small environment, and would
// be one more component that must never fail. What lists of networks cannot do:
// follow a partner whose addresses change without notice.
func (b *builder) egress() error {
	for _, zone := range Zones {
		table, err := b.table("apps", letter(zone))
		if err != nil {
			return err
		}
		b.appTables = append(b.appTables, table)
	}
	if err := b.associate("apps", b.network.Apps, func(i int) *ec2.RouteTable { return b.appTables[i] }); err != nil {
		return err
	}
	if len(b.args.Allowed) == 0 {
		return nil // no way out is needed, and none is paid for
	}
	list, err := b.allowList()
	if err != nil {
		return err
	}
	var ways []*ec2.NatGateway
	for i := range b.args.EgressZones {
		way, err := b.wayOut(b.network.Edge[i])
		if err != nil {
			return err
		}
		ways = append(ways, way)
	}
	for i, zone := range Zones {
		_, err := ec2.NewRoute(b.ctx, b.name("egress", letter(zone)), &ec2.RouteArgs{
			RouteTableId: b.appTables[i].ID(), DestinationPrefixListId: list.ID(), NatGatewayId: ways[i%len(ways)].ID(),
		}, b.parent)
		if err != nil {
			return err
		}
	}
	return nil
}

// allowList is the list of networks, with what each is for.
func (b *builder) allowList() (*ec2.ManagedPrefixList, error) {
	var entries ec2.ManagedPrefixListEntryTypeArray
	for _, n := range b.args.Allowed {
		entries = append(entries, ec2.ManagedPrefixListEntryTypeArgs{Cidr: pulumi.String(n.CIDR), Description: pulumi.String(n.Purpose)})
	}
	name := b.name("egress")
	list, err := ec2.NewManagedPrefixList(b.ctx, name, &ec2.ManagedPrefixListArgs{
		Name:          pulumi.String(name),
		AddressFamily: pulumi.String("IPv4"),
		// Room for all that may be listed: its size counts as routes even when empty,
		// and changing it later touches every table.
		MaxEntries: pulumi.Int(mostAllowed),
		Entries:    entries,
		Tags:       named(name),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	id := list.ID().ToStringOutput()
	b.network.Allowed = &id
	return list, nil
}

// wayOut translates addresses in a zone. Its own address never changes: partners
// have it in their lists.
func (b *builder) wayOut(edge Subnet) (*ec2.NatGateway, error) {
	name := b.name("egress", letter(edge.Zone))
	address, err := ec2.NewEip(b.ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: named(name)},
		b.parent, pulumi.DependsOn([]pulumi.Resource{b.gateway}))
	if err != nil {
		return nil, err
	}
	return ec2.NewNatGateway(b.ctx, name, &ec2.NatGatewayArgs{
		AllocationId: address.ID(), SubnetId: edge.ID, Tags: named(name),
	}, b.parent)
}

// inside is for subnets that reach nothing outside of the network.
func (b *builder) inside() (err error) {
	if b.innerTable, err = b.table("inside"); err != nil {
		return err
	}
	inner := func(int) *ec2.RouteTable { return b.innerTable }
	if err := b.associate("data", b.network.Data, inner); err != nil {
		return err
	}
	return b.associate("control", b.network.Control, inner)
}

func (b *builder) table(parts ...string) (*ec2.RouteTable, error) {
	name := b.name(parts...)
	return ec2.NewRouteTable(b.ctx, name, &ec2.RouteTableArgs{VpcId: b.network.VpcID, Tags: named(name)}, b.parent)
}

func (b *builder) associate(layer string, subnets []Subnet, table func(zone int) *ec2.RouteTable) error {
	for i, s := range subnets {
		_, err := ec2.NewRouteTableAssociation(b.ctx, b.name(layer, letter(s.Zone)), &ec2.RouteTableAssociationArgs{
			SubnetId: s.ID, RouteTableId: table(i).ID(),
		}, b.parent)
		if err != nil {
			return err
		}
	}
	return nil
}
