// SPDX-License-Identifier: Apache-2.0

package identity

// balancing are the ARNs of load balancing's parts, all of which begin with the
// environment's name.
const balancing = "arn:aws:elasticloadbalancing:eu-west-2:{account}:"

// inRoute53 are zones and changes: their identifiers are made up by AWS.
const hostedZones = "arn:aws:route53:::hostedzone/*"

var (
	tagBalancing = on(balancing+"*/{env}-*", "elasticloadbalancing", "AddTags RemoveTags")
	readChange   = on("arn:aws:route53:::change/*", "route53", "GetChange")
)

// edgeActions are those of packages edge and dns.
var edgeActions = map[string][]grant{
	"aws:lb/loadBalancer:LoadBalancer": {
		on(balancing+"loadbalancer/*/{env}-*", "elasticloadbalancing",
			"CreateLoadBalancer DeleteLoadBalancer ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets SetIpAddressType"),
		on(anything, "elasticloadbalancing", "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeCapacityReservation DescribeTags"),
		on(anything, "ec2", "DescribeNetworkInterfaces DescribeSubnets DescribeSecurityGroups DescribeVpcs DescribeInternetGateways"),
		tagBalancing, linked("elasticloadbalancing.amazonaws.com"),
	},
	"aws:lb/targetGroup:TargetGroup": {
		on(balancing+"targetgroup/{env}-*", "elasticloadbalancing", "CreateTargetGroup DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes"),
		on(anything, "elasticloadbalancing", "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTags"),
		tagBalancing,
	},
	"aws:lb/listener:Listener": {
		on(balancing+"loadbalancer/*/{env}-*", "elasticloadbalancing", "CreateListener"),
		on(balancing+"listener/*/{env}-*", "elasticloadbalancing", "DeleteListener ModifyListener ModifyListenerAttributes"),
		on(anything, "elasticloadbalancing", "DescribeListeners DescribeListenerAttributes DescribeTags"),
		tagBalancing,
	},
	"aws:lb/trustStore:TrustStore": {
		on(balancing+"truststore/{env}-*", "elasticloadbalancing", "CreateTrustStore DeleteTrustStore ModifyTrustStore"),
		on(anything, "elasticloadbalancing", "DescribeTrustStores DescribeTags"),
		on("arn:aws:s3:::{env}-*/*", "s3", "GetObject GetObjectVersion"),
		tagBalancing,
	},
	"aws:autoscaling/attachment:Attachment": {
		// Groups have names of EKS's choice.
		on("arn:aws:autoscaling:eu-west-2:{account}:autoScalingGroup:*:autoScalingGroupName/eks-{env}-*", "autoscaling",
			"AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups"),
		on(anything, "autoscaling", "DescribeAutoScalingGroups DescribeLoadBalancerTargetGroups"),
		linked("autoscaling.amazonaws.com"),
	},
	"aws:wafv2/webAcl:WebAcl": {
		on(regional("wafv2", "regional/webacl/{env}-*"), "wafv2", "CreateWebACL DeleteWebACL GetWebACL UpdateWebACL TagResource UntagResource ListTagsForResource"),
		on(regional("wafv2", "regional/managedruleset/*/*"), "wafv2", "CreateWebACL UpdateWebACL"),
		on(anything, "wafv2", "ListWebACLs"),
	},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {
		on(regional("wafv2", "regional/webacl/{env}-*"), "wafv2", "AssociateWebACL DisassociateWebACL GetWebACL GetWebACLForResource"),
		on(balancing+"loadbalancer/app/{env}-*", "elasticloadbalancing", "SetWebACL"),
		on(balancing+"loadbalancer/app/{env}-*", "wafv2", "AssociateWebACL DisassociateWebACL GetWebACLForResource"),
	},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
		on(regional("wafv2", "regional/webacl/{env}-*"), "wafv2", "PutLoggingConfiguration GetLoggingConfiguration DeleteLoggingConfiguration"),
		on(anything, "logs", "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies PutResourcePolicy"),
		linked("wafv2.amazonaws.com"),
	},
	"aws:shield/protection:Protection": {
		on("arn:aws:shield::{account}:protection/*", "shield", "CreateProtection DeleteProtection DescribeProtection TagResource UntagResource ListTagsForResource"),
		on(anything, "shield", "GetSubscriptionState"),
		on(anything, "elasticloadbalancing", "DescribeLoadBalancers"),
		linked("shield.amazonaws.com"),
	},
	"aws:route53/zone:Zone": {
		on(hostedZones, "route53", "GetHostedZone DeleteHostedZone UpdateHostedZoneComment ListResourceRecordSets ChangeTagsForResource ListTagsForResource GetDNSSEC AssociateVPCWithHostedZone DisassociateVPCFromHostedZone"),
		on(anything, "route53", "CreateHostedZone ListHostedZones ListHostedZonesByName"),
		on(anything, "ec2", "DescribeVpcs"),
		readChange,
	},
	"aws:route53/record:Record": {
		on(hostedZones, "route53", "ChangeResourceRecordSets GetHostedZone ListResourceRecordSets"),
		readChange,
	},
	"aws:route53/healthCheck:HealthCheck": {
		on("arn:aws:route53:::healthcheck/*", "route53", "GetHealthCheck UpdateHealthCheck DeleteHealthCheck ChangeTagsForResource ListTagsForResource"),
		on(anything, "route53", "CreateHealthCheck ListHealthChecks"),
		on(anything, "cloudwatch", "DescribeAlarms"),
	},
}
