// SPDX-License-Identifier: Apache-2.0

package identity

// clusterActions are those of package cluster.
var clusterActions = map[string][]grant{
	"aws:eks/cluster:Cluster": {
		on(regional("eks", "cluster/{env}"), "eks", "CreateCluster DeleteCluster DescribeCluster UpdateClusterConfig UpdateClusterVersion AssociateEncryptionConfig DescribeUpdate ListUpdates TagResource UntagResource ListTagsForResource"),
		on(anything, "ec2", "DescribeSubnets DescribeVpcs DescribeSecurityGroups"),
		linked("eks.amazonaws.com"),
		useKeys,
	},
	"aws:eks/nodeGroup:NodeGroup": {
		on(regional("eks", "cluster/{env}"), "eks", "CreateNodegroup ListNodegroups"),
		on(regional("eks", "nodegroup/{env}/*"), "eks", "DeleteNodegroup DescribeNodegroup UpdateNodegroupConfig UpdateNodegroupVersion DescribeUpdate TagResource UntagResource ListTagsForResource"),
		// EKS tries the launch template in the name of whoever names it.
		on(inEC2, "ec2", "RunInstances CreateTags"),
		on("arn:aws:ec2:eu-west-2::image/*", "ec2", "RunInstances"),
		on(anything, "ec2", "DescribeSubnets DescribeLaunchTemplateVersions DescribeInstanceTypes"),
		linked("eks-nodegroup.amazonaws.com"),
	},
	"aws:eks/addon:Addon": {
		on(regional("eks", "cluster/{env}"), "eks", "CreateAddon ListAddons CreatePodIdentityAssociation"),
		on(regional("eks", "addon/{env}/*"), "eks", "DeleteAddon DescribeAddon UpdateAddon DescribeUpdate TagResource UntagResource ListTagsForResource"),
		on(regional("eks", "podidentityassociation/{env}/*"), "eks", "DeletePodIdentityAssociation DescribePodIdentityAssociation UpdatePodIdentityAssociation"),
		on(anything, "eks", "DescribeAddonVersions DescribeAddonConfiguration"),
	},
	"aws:eks/accessEntry:AccessEntry": {
		on(regional("eks", "cluster/{env}"), "eks", "CreateAccessEntry ListAccessEntries"),
		on(regional("eks", "access-entry/{env}/*"), "eks", "DeleteAccessEntry DescribeAccessEntry UpdateAccessEntry TagResource UntagResource ListTagsForResource"),
	},
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
		on(regional("eks", "access-entry/{env}/*"), "eks", "AssociateAccessPolicy DisassociateAccessPolicy ListAssociatedAccessPolicies"),
	},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {
		on(regional("eks", "cluster/{env}"), "eks", "CreatePodIdentityAssociation ListPodIdentityAssociations"),
		on(regional("eks", "podidentityassociation/{env}/*"), "eks", "DeletePodIdentityAssociation DescribePodIdentityAssociation UpdatePodIdentityAssociation TagResource UntagResource ListTagsForResource"),
	},
}

// useKeys lets services encrypt with the environment's keys on behalf of the
// deployment: their policies allow that through services only.
var useKeys = on(regional("kms", "key/*"), "kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo").
	where("StringLike", "kms:ViaService", "*.eu-west-2.amazonaws.com")

const (
	roles    = "arn:aws:iam::{account}:role/{env}-*"
	policies = "arn:aws:iam::{account}:policy/{env}-*"
)

// passedTo are the services that take roles of an environment.
var passedTo = []string{
	"backup.amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com", "ec2.amazonaws.com", "eks.amazonaws.com",
	"events.amazonaws.com", "monitoring.rds.amazonaws.com", "pods.eks.amazonaws.com", "rds.amazonaws.com",
	"scheduler.amazonaws.com", "states.amazonaws.com", "vpc-flow-logs.amazonaws.com",
}

// identityActions are those of roles. Every role that is made has the boundary: what
// the deployment hands out cannot be more than the boundary lets through.
var identityActions = map[string][]grant{
	"aws:iam/role:Role": {
		on(roles, "iam", "CreateRole PutRolePermissionsBoundary").where("StringEquals", "iam:PermissionsBoundary", "arn:aws:iam::{account}:policy/{env}-boundary"),
		on(roles, "iam", "DeleteRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy TagRole UntagRole ListRoleTags ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole"),
		on(roles, "iam", "PassRole").where("StringEquals", "iam:PassedToService", passedTo...),
	},
	"aws:iam/rolePolicy:RolePolicy": {
		on(roles, "iam", "PutRolePolicy DeleteRolePolicy").where("StringEquals", "iam:PermissionsBoundary", "arn:aws:iam::{account}:policy/{env}-boundary"),
		on(roles, "iam", "GetRolePolicy"),
	},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
		on(roles, "iam", "AttachRolePolicy DetachRolePolicy").where("StringEquals", "iam:PermissionsBoundary", "arn:aws:iam::{account}:policy/{env}-boundary"),
		on(roles, "iam", "ListAttachedRolePolicies"),
	},
	"aws:iam/policy:Policy": {
		on(policies, "iam", "CreatePolicy DeletePolicy GetPolicy GetPolicyVersion ListPolicyVersions CreatePolicyVersion DeletePolicyVersion TagPolicy UntagPolicy"),
	},
	"aws:iam/accountPasswordPolicy:AccountPasswordPolicy": {
		on(anything, "iam", "GetAccountPasswordPolicy UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy"),
	},
}
