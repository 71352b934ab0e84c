// SPDX-License-Identifier: Apache-2.0

package identity

// inEC2 is everything of EC2 in the account: its identifiers are made up by AWS, so
// that a name cannot limit them.
var inEC2 = regional("ec2", "*/*")

// tagEC2 is what every type of EC2 with tags needs.
var tagEC2 = on(inEC2, "ec2", "CreateTags DeleteTags")

// ec2Type is a type of EC2: what changes it, and what reads it.
func ec2Type(change, read string) []grant {
	return []grant{on(inEC2, "ec2", change), on(anything, "ec2", read), tagEC2}
}

// networkActions are those of package network, and of security groups.
var networkActions = map[string][]grant{
	"aws:ec2/vpc:Vpc": ec2Type("CreateVpc DeleteVpc ModifyVpcAttribute",
		"DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups"),
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ec2Type("RevokeSecurityGroupIngress RevokeSecurityGroupEgress",
		"DescribeSecurityGroups DescribeSecurityGroupRules"),
	"aws:ec2/securityGroup:SecurityGroup": ec2Type("CreateSecurityGroup DeleteSecurityGroup RevokeSecurityGroupEgress",
		"DescribeSecurityGroups DescribeSecurityGroupRules DescribeNetworkInterfaces"),
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ec2Type("AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress ModifySecurityGroupRules",
		"DescribeSecurityGroupRules"),
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ec2Type("AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress ModifySecurityGroupRules",
		"DescribeSecurityGroupRules"),
	"aws:ec2/internetGateway:InternetGateway": ec2Type("CreateInternetGateway DeleteInternetGateway AttachInternetGateway DetachInternetGateway",
		"DescribeInternetGateways"),
	"aws:ec2/subnet:Subnet": ec2Type("CreateSubnet DeleteSubnet ModifySubnetAttribute",
		"DescribeSubnets DescribeNetworkInterfaces"),
	"aws:ec2/routeTable:RouteTable": ec2Type("CreateRouteTable DeleteRouteTable", "DescribeRouteTables"),
	"aws:ec2/route:Route":           ec2Type("CreateRoute ReplaceRoute DeleteRoute", "DescribeRouteTables"),
	"aws:ec2/routeTableAssociation:RouteTableAssociation": ec2Type("AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation",
		"DescribeRouteTables"),
	"aws:ec2/eip:Eip": ec2Type("AllocateAddress ReleaseAddress DisassociateAddress",
		"DescribeAddresses DescribeAddressesAttribute"),
	"aws:ec2/natGateway:NatGateway": ec2Type("CreateNatGateway DeleteNatGateway", "DescribeNatGateways"),
	"aws:ec2/managedPrefixList:ManagedPrefixList": ec2Type("CreateManagedPrefixList ModifyManagedPrefixList DeleteManagedPrefixList GetManagedPrefixListEntries",
		"DescribeManagedPrefixLists"),
	"aws:ec2/vpcEndpoint:VpcEndpoint": append(ec2Type("CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints",
		"DescribeVpcEndpoints DescribeVpcEndpointServices DescribePrefixLists DescribeNetworkInterfaces"),
		// Names of interface endpoints are records of a zone that AWS keeps.
		on("arn:aws:route53:::hostedzone/*", "route53", "AssociateVPCWithHostedZone")),
	"aws:ec2/flowLog:FlowLog": append(ec2Type("CreateFlowLogs DeleteFlowLogs", "DescribeFlowLogs"),
		on(anything, "logs", "CreateLogDelivery DeleteLogDelivery")),
	"aws:ec2/launchTemplate:LaunchTemplate": ec2Type("CreateLaunchTemplate CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate DeleteLaunchTemplateVersions",
		"DescribeLaunchTemplates DescribeLaunchTemplateVersions"),
	"aws:ebs/encryptionByDefault:EncryptionByDefault": {
		on(anything, "ec2", "EnableEbsEncryptionByDefault DisableEbsEncryptionByDefault GetEbsEncryptionByDefault"),
	},
	"aws:ebs/defaultKmsKey:DefaultKmsKey": {
		on(anything, "ec2", "GetEbsDefaultKmsKeyId ModifyEbsDefaultKmsKeyId ResetEbsDefaultKmsKeyId"),
	},
}
