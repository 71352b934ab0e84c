// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// The add-ons that every cluster has.
const (
	addonNetwork  = "vpc-cni"
	addonProxy    = "kube-proxy"
	addonDNS      = "coredns"
	addonVolumes  = "aws-ebs-csi-driver"
	addonIdentity = "eks-pod-identity-agent"
)

// addons are the exact versions for each Kubernetes release: what runs next to the
// kernel of every node changes when this table does, and never by itself. They are
// from public repositories and were not asked of an account: before the first use of
// a release, compare with `aws eks describe-addon-versions --kubernetes-version 1.33`.
var addons = map[string]map[string]string{
	"1.33": {
		addonNetwork: "v1.20.5-eksbuild.1", addonProxy: "v1.33.10-eksbuild.2", addonDNS: "v1.12.4-eksbuild.10",
		addonVolumes: "v1.54.0-eksbuild.1", addonIdentity: "v1.3.10-eksbuild.2",
	},
	"1.34": {
		addonNetwork: "v1.21.1-eksbuild.1", addonProxy: "v1.34.1-eksbuild.2", addonDNS: "v1.12.4-eksbuild.6",
		addonVolumes: "v1.54.0-eksbuild.1", addonIdentity: "v1.3.10-eksbuild.2",
	},
}

// Versions are the Kubernetes releases that a cluster can have, oldest first.
func Versions() []string { return slices.Sorted(maps.Keys(addons)) }

// settings are the add-ons' own.
func (a *Args) settings() map[string]string {
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		tags = append(tags, fmt.Sprintf("%q:%q", key, a.Tags[key]))
	}
	return map[string]string{
		// The network enforces NetworkPolicies itself: no second engine for them. It
		// hands out blocks of addresses, so that a node is not held to the few that
		// its network interfaces have room for.
		addonNetwork: `{"enableNetworkPolicy":"true","env":{"ENABLE_PREFIX_DELEGATION":"true"}}`,
		addonVolumes: `{"controller":{"extraVolumeTags":{` + strings.Join(tags, ",") + `}}}`,
	}
}

// beforeNodes are the add-ons without which a node does not become ready.
func (b *builder) beforeNodes() error {
	for _, name := range []string{addonIdentity, addonProxy} {
		a, err := b.addon(name, nil)
		if err != nil {
			return err
		}
		b.early = append(b.early, a)
	}
	role, err := b.podRole("network", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
	if err != nil {
		return err
	}
	network, err := b.addon(addonNetwork, identityOf("aws-node", role), pulumi.DependsOn(b.early))
	b.early = append(b.early, network)
	return err
}

// afterNodes are add-ons that run as ordinary pods: until there is a node, EKS calls
// them degraded.
func (b *builder) afterNodes() error {
	nodes := pulumi.DependsOn(b.nodes)
	if _, err := b.addon(addonDNS, nil, nodes); err != nil {
		return err
	}
	role, err := b.podRole("volumes", "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy")
	if err != nil {
		return err
	}
	policy, err := iam.NewRolePolicy(b.ctx, b.name("volumes-key"), &iam.RolePolicyArgs{
		Name: pulumi.String("key"), Role: role.Name, Policy: b.args.VolumesKeyArn.ToStringOutput().ApplyT(volumesKeyPolicy).(pulumi.StringOutput),
	}, b.parent)
	if err != nil {
		return err
	}
	_, err = b.addon(addonVolumes, identityOf("ebs-csi-controller-sa", role), nodes, pulumi.DependsOn([]pulumi.Resource{policy}))
	return err
}

// volumesKeyPolicy lets the driver make volumes that are encrypted with our key: EC2
// uses the key by a grant, which only services of AWS may be given (EBS user guide,
// "required permissions").
func volumesKeyPolicy(key string) string {
	return document.JSON(document.Statement{
		Action: []string{"kms:CreateGrant"}, Resource: []string{key},
		Condition: document.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
	}, document.Statement{
		Action: []string{
			"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
			"kms:ReEncryptFrom", "kms:ReEncryptTo",
		},
		Resource: []string{key},
	})
}

// podTrust is the trust of roles that pods have by EKS Pod Identity; the session says
// which pod it is.
func (b *builder) podTrust() string {
	return document.JSON(document.Statement{
		Principal: document.Service("pods.eks.amazonaws.com"), Action: []string{"sts:AssumeRole", "sts:TagSession"},
		Condition: document.FromAccount(b.args.Account),
	})
}

// podRole is the role of an add-on, with the policy that AWS keeps for it.
func (b *builder) podRole(what, policy string) (*iam.Role, error) {
	return b.role("pods-"+what, "Pods of the cluster: "+what, b.podTrust(), policy)
}

// identityOf gives an add-on's service account a role.
func identityOf(account string, role *iam.Role) eks.AddonPodIdentityAssociationArray {
	return eks.AddonPodIdentityAssociationArray{eks.AddonPodIdentityAssociationArgs{
		ServiceAccount: pulumi.String(account), RoleArn: role.Arn,
	}}
}

func (b *builder) addon(addon string, pods eks.AddonPodIdentityAssociationArray, opts ...pulumi.ResourceOption) (*eks.Addon, error) {
	args := &eks.AddonArgs{
		ClusterName: b.eks.Name, AddonName: pulumi.String(addon), AddonVersion: pulumi.String(addons[b.args.Version][addon]),
		PodIdentityAssociations: pods,
		// What somebody changed by hand is put back: the program is what was agreed.
		ResolveConflictsOnCreate: pulumi.String("OVERWRITE"), ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
	}
	if settings, ok := b.args.settings()[addon]; ok {
		args.ConfigurationValues = pulumi.String(settings)
	}
	return eks.NewAddon(b.ctx, b.name(addon), args, append(opts, b.parent)...)
}
