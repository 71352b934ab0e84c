// SPDX-License-Identifier: Apache-2.0

package network

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// services are those of AWS that something in the network calls, each at an
// endpoint inside: the list that AWS gives for EKS without Internet ("private
// clusters" in its user guide), and what our programs need besides.
var services = []string{
	"autoscaling",        // EKS: the nodes' groups
	"ec2",                // EKS: network interfaces and volumes
	"ecr.api", "ecr.dkr", // images
	"eks", "eks-auth", // joining, and Pod Identity
	"elasticloadbalancing", // targets of the edge
	"kms",                  // keys of backups and secrets
	"logs", "monitoring",   // logs and metrics
	"secretsmanager",     // the database's and the broker's credentials
	"ssm", "ssmmessages", // Session Manager, the way to a machine
	"sts", // temporary credentials
}

// imageLayers is where ECR keeps images' layers; it hands out signed addresses in
// it, which are fetched without credentials of the account (ECR user guide,
// "interface VPC endpoints").
const imageLayers = "arn:aws:s3:::prod-" + Region + "-starport-layer-bucket/*"

const httpsPort = 443

// endpoints bring AWS's services into the network.
func (b *builder) endpoints() error {
	group, err := ec2.NewSecurityGroup(b.ctx, b.name("endpoints"), &ec2.SecurityGroupArgs{
		Name: pulumi.String(b.name("endpoints")), Description: pulumi.String("AWS services inside the network"),
		VpcId: b.network.VpcID, Tags: named(b.name("endpoints")),
	}, b.parent)
	if err != nil {
		return err
	}
	b.network.Endpoints = group.ID().ToStringOutput()
	_, err = vpc.NewSecurityGroupIngressRule(b.ctx, b.name("endpoints"), &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(), Description: pulumi.String("HTTPS from the network"), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(httpsPort), ToPort: pulumi.Int(httpsPort), CidrIpv4: pulumi.String(b.args.CIDR),
	}, b.parent)
	if err != nil {
		return err
	}
	for _, service := range services {
		name := b.name(strings.ReplaceAll(service, ".", "-"))
		_, err := ec2.NewVpcEndpoint(b.ctx, name, &ec2.VpcEndpointArgs{
			VpcId: b.network.VpcID, ServiceName: pulumi.String("com.amazonaws." + Region + "." + service),
			VpcEndpointType: pulumi.String("Interface"), PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds:        IDs(b.network.Apps[:b.args.EgressZones]),
			SecurityGroupIds: pulumi.StringArray{group.ID()},
			Policy:           pulumi.String(b.perimeter()), Tags: named(name),
		}, b.parent)
		if err != nil {
			return err
		}
	}
	if b.network.S3, err = b.gatewayEndpoint("s3", document.Statement{
		Principal: document.Principals{"AWS": {"*"}}, Action: []string{"s3:GetObject"}, Resource: []string{imageLayers},
	}); err != nil {
		return err
	}
	b.network.DynamoDB, err = b.gatewayEndpoint("dynamodb")
	return err
}

// gatewayEndpoint is a route to a service that has addresses of its own, and costs
// nothing. It returns the prefix list of those.
func (b *builder) gatewayEndpoint(service string, more ...document.Statement) (pulumi.StringOutput, error) {
	tables := pulumi.StringArray{b.innerTable.ID()}
	for _, t := range b.appTables {
		tables = append(tables, t.ID())
	}
	e, err := ec2.NewVpcEndpoint(b.ctx, b.name(service), &ec2.VpcEndpointArgs{
		VpcId: b.network.VpcID, ServiceName: pulumi.String("com.amazonaws." + Region + "." + service),
		VpcEndpointType: pulumi.String("Gateway"), RouteTableIds: tables,
		Policy: pulumi.String(b.perimeter(more...)), Tags: named(b.name(service)),
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return e.PrefixListId, nil
}

// perimeter is the policy of an endpoint: it serves credentials of the account, so
// that a stolen key of another cannot be used to carry data out. It gives no rights
// by itself (AWS: "building a data perimeter"): what the credentials may do, their
// own policies say, which is why all actions stand here.
func (b *builder) perimeter(more ...document.Statement) string {
	return document.JSON(append([]document.Statement{{
		Principal: document.Principals{"AWS": {"*"}}, Action: []string{"*"}, Resource: []string{"*"},
		Condition: document.Conditions{"StringEquals": {"aws:PrincipalAccount": {b.args.Account}}},
	}}, more...)...)
}
