// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// allProtocols goes with every port.
const allProtocols = "-1"

// Ports of a rule.
const (
	https       = 443
	highestPort = 65535
	tcp         = "tcp"
)

// securityGroups say who talks to whom: nodes with each other, with the API both
// ways, with what is in the network, with AWS's services, and with the allow-list.
func (b *builder) securityGroups() (err error) {
	if b.control, err = b.group("control", "The API of Kubernetes"); err != nil {
		return err
	}
	if b.pods, err = b.group("nodes", "Nodes and pods"); err != nil {
		return err
	}
	b.made.NodeSecurityGroup = b.pods.ID().ToStringOutput()
	control, pods := b.control.ID().ToStringOutput(), b.made.NodeSecurityGroup

	in := []struct {
		name string
		rule vpc.SecurityGroupIngressRuleArgs
	}{
		{"api-from-nodes", vpc.SecurityGroupIngressRuleArgs{SecurityGroupId: control, ReferencedSecurityGroupId: pods,
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(apiPort), ToPort: pulumi.Int(apiPort), Description: pulumi.String("Kubelets and pods call the API")}},
		{"nodes-from-nodes", vpc.SecurityGroupIngressRuleArgs{SecurityGroupId: pods, ReferencedSecurityGroupId: pods,
			IpProtocol: pulumi.String(allProtocols), Description: pulumi.String("Pods among themselves: network policies say which")}},
		// Webhooks and aggregated APIs are pods at ports of their own choice, 443 among
		// them; kubelets answer at 10250.
		{"nodes-from-api", vpc.SecurityGroupIngressRuleArgs{SecurityGroupId: pods, ReferencedSecurityGroupId: control,
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(https), ToPort: pulumi.Int(highestPort), Description: pulumi.String("The API calls kubelets and webhooks")}},
	}
	for i, client := range b.args.Clients {
		in = append(in, struct {
			name string
			rule vpc.SecurityGroupIngressRuleArgs
		}{"api-from-client-" + string(rune('a'+i)), vpc.SecurityGroupIngressRuleArgs{SecurityGroupId: control, CidrIpv4: pulumi.String(client),
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(apiPort), ToPort: pulumi.Int(apiPort), Description: pulumi.String("Administration")}})
	}
	for _, r := range in {
		if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name(r.name), &r.rule, b.parent); err != nil {
			return err
		}
	}
	return b.outward(control, pods)
}

// outward are the rules of what may be called. Receivers decide too: a database lets
// in the nodes' group at its port only.
func (b *builder) outward(control, pods pulumi.StringOutput) error {
	network := b.args.Network
	out := []struct {
		name string
		rule vpc.SecurityGroupEgressRuleArgs
	}{
		{"api-to-nodes", vpc.SecurityGroupEgressRuleArgs{SecurityGroupId: control, ReferencedSecurityGroupId: pods,
			IpProtocol: pulumi.String(allProtocols), Description: pulumi.String("Kubelets and webhooks")}},
		{"nodes-to-network", vpc.SecurityGroupEgressRuleArgs{SecurityGroupId: pods, CidrIpv4: pulumi.String(network.CIDR),
			IpProtocol: pulumi.String(allProtocols), Description: pulumi.String("What is in the network")}},
		{"nodes-to-s3", vpc.SecurityGroupEgressRuleArgs{SecurityGroupId: pods, PrefixListId: network.S3,
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(https), ToPort: pulumi.Int(https), Description: pulumi.String("Image layers and buckets")}},
		{"nodes-to-dynamodb", vpc.SecurityGroupEgressRuleArgs{SecurityGroupId: pods, PrefixListId: network.DynamoDB,
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(https), ToPort: pulumi.Int(https), Description: pulumi.String("The witness")}},
	}
	if network.Allowed != nil {
		out = append(out, struct {
			name string
			rule vpc.SecurityGroupEgressRuleArgs
		}{"nodes-to-allowed", vpc.SecurityGroupEgressRuleArgs{SecurityGroupId: pods, PrefixListId: *network.Allowed,
			IpProtocol: pulumi.String(tcp), FromPort: pulumi.Int(https), ToPort: pulumi.Int(highestPort), Description: pulumi.String("The allow-list")}})
	}
	for _, r := range out {
		if _, err := vpc.NewSecurityGroupEgressRule(b.ctx, b.name(r.name), &r.rule, b.parent); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) group(what, description string) (*ec2.SecurityGroup, error) {
	name := b.name(what)
	return ec2.NewSecurityGroup(b.ctx, name, &ec2.SecurityGroupArgs{
		Name: pulumi.String(name), Description: pulumi.String(description), VpcId: b.args.Network.VpcID, Tags: named(name),
	}, b.parent)
}
