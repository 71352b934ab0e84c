// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// anywhere is where clients of a service in the Internet are; private where those of
// an internal one are (RFC 1918).
var (
	anywhere = []string{"0.0.0.0/0"}
	private  = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}
)

// entrance makes the security group of a way in: clients at its ports, and nothing
// further than the nodes at the target's.
func (b *builder) entrance(way string, target int, ports ...int) (pulumi.StringOutput, error) {
	name := b.name("edge", way)
	group, err := ec2.NewSecurityGroup(b.ctx, name, &ec2.SecurityGroupArgs{
		Name: pulumi.String(name), Description: pulumi.String("The way in to " + way), VpcId: b.args.Network.VpcID, Tags: named(name),
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	id := group.ID().ToStringOutput()
	clients := anywhere
	if b.args.Internal {
		clients = private
	}
	for _, port := range ports {
		for i, client := range clients {
			_, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name("edge", way, fmt.Sprint(port), string(rune('a'+i))), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: id, CidrIpv4: pulumi.String(client), Description: pulumi.String("Clients of " + way),
				IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
			}, b.parent)
			if err != nil {
				return pulumi.StringOutput{}, err
			}
		}
	}
	nodes := b.args.NodeSecurityGroup.ToStringOutput()
	_, err = vpc.NewSecurityGroupEgressRule(b.ctx, b.name("edge", way, "nodes"), &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: id, ReferencedSecurityGroupId: nodes, Description: pulumi.String("Nodes that answer"),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(target), ToPort: pulumi.Int(target),
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	_, err = vpc.NewSecurityGroupIngressRule(b.ctx, b.name("nodes-from-edge", way), &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: nodes, ReferencedSecurityGroupId: id, Description: pulumi.String("The way in to " + way),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(target), ToPort: pulumi.Int(target),
	}, b.parent)
	return id, err
}
