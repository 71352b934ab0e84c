// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// Zone is an environment's zone.
type Zone struct {
	pulumi.ResourceState

	// ZoneID is AWS's.
	ZoneID pulumi.StringOutput
	// NameServers are those that the parent zone delegates to; none if it is not
	// public.
	NameServers pulumi.StringArrayOutput
}

// NewZone makes the zone, before anything that has a name in it.
//
// It is not signed (DNSSEC) and its queries are not logged: AWS takes both the key
// and the log group of a public zone in another country only (us-east-1), and keys and telemetry stay in
// the United Kingdom. Clients are known by mutual TLS and servers by certificates,
// so that a forged answer leads to nobody who is believed.
func NewZone(ctx *pulumi.Context, name string, args *ZoneArgs, opts ...pulumi.ResourceOption) (*Zone, error) {
	z := &Zone{}
	if err := component.Register(ctx, component.TypeAWSZone, name, args, z, opts...); err != nil {
		return nil, err
	}
	zone := &route53.ZoneArgs{
		Name: pulumi.String(args.Zone), Comment: pulumi.String("Names of " + args.Names.Name()),
		// Records that operators have added keep it from being deleted.
		ForceDestroy: pulumi.Bool(false),
	}
	if !args.Public {
		zone.Vpcs = route53.ZoneVpcArray{route53.ZoneVpcArgs{VpcId: args.VpcID}}
	}
	made, err := route53.NewZone(ctx, args.Names.Name("zone"), zone, pulumi.Parent(z))
	if err != nil {
		return nil, err
	}
	z.ZoneID, z.NameServers = made.ZoneId, made.NameServers
	return z, component.Done(ctx, z, pulumi.Map{"zoneId": z.ZoneID, "nameServers": z.NameServers})
}
