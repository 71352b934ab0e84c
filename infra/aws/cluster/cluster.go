// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/component"
)

const (
	// apiPort is where EKS answers.
	apiPort = 443
	// serviceCIDR is the range of Services' addresses: outside of 10.0.0.0/8, in
	// which environments have their networks.
	serviceCIDR = "172.20.0.0/16"
	// apiService is the address in it of the API: NetworkPolicies are enforced where a packet
	// leaves its pod, before the address becomes that of a server.
	apiService = "172.20.0.1/32"
)

// clusterLogs are all that the control plane writes; audit and authenticator say who
// did what, the others why it did what it did.
var clusterLogs = pulumi.ToStringArray([]string{"api", "audit", "authenticator", "controllerManager", "scheduler"})

// Cluster is a Kubernetes cluster.
type Cluster struct {
	pulumi.ResourceState

	// Cluster is what software is installed on. Its API has a port and no name:
	// AWS chooses that when it makes the cluster, and it is in the kubeconfig.
	component.Cluster
	// NodeSecurityGroup is what every node and pod is in: databases, brokers and
	// the edge name it.
	NodeSecurityGroup pulumi.StringOutput
	// Groups are the names of the nodes' autoscaling groups, by "<group>-<zone>".
	Groups map[string]pulumi.StringOutput
	// NodeGroups are the names of the node groups, by the same.
	NodeGroups map[string]string
	// NodeRoleArn is the role of the nodes.
	NodeRoleArn pulumi.StringOutput
}

// builder makes the parts of a cluster, each step with what those before have made.
type builder struct {
	ctx    *pulumi.Context
	args   *Args
	made   *Cluster
	parent pulumi.ResourceOption
	// control is the security group of the API, pods that of nodes and pods.
	control, pods *ec2.SecurityGroup
	eks           *eks.Cluster
	nodeRole      *iam.Role
	// early are the add-ons that nodes need; nodes are the groups.
	early, nodes []pulumi.Resource
}

// New makes the cluster.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	c := &Cluster{Groups: map[string]pulumi.StringOutput{}, NodeGroups: map[string]string{}}
	if err := component.Register(ctx, component.TypeAWSCluster, name, args, c, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, args: args, made: c, parent: pulumi.Parent(c)}
	// The order is that of dependence: a node is ready when its network is.
	for _, step := range []func() error{b.securityGroups, b.controlPlane, b.admins, b.beforeNodes, b.nodeGroups, b.afterNodes} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	c.Addons = c // with all children
	return c, component.Done(ctx, c, pulumi.Map{"name": pulumi.String(c.Name), "endpoint": b.eks.Endpoint, "version": b.eks.Version})
}

func (b *builder) name(parts ...string) string { return b.args.Names.Name(parts...) }

func named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }

// controlPlane is EKS's part.
func (b *builder) controlPlane() error {
	name := b.name()
	role, err := b.role("control-plane", "EKS's control plane", document.Trust("eks.amazonaws.com", b.args.Account),
		"arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
	if err != nil {
		return err
	}
	// EKS would make its log group itself, unencrypted and for ever.
	logs, err := cloudwatch.NewLogGroup(b.ctx, b.name("control-plane"), &cloudwatch.LogGroupArgs{
		Name: pulumi.String("/aws/eks/" + name + "/cluster"), RetentionInDays: pulumi.Int(b.args.LogDays), KmsKeyId: b.args.LogKeyArn.ToStringOutput(),
	}, b.parent)
	if err != nil {
		return err
	}
	b.eks, err = eks.NewCluster(b.ctx, name, &eks.ClusterArgs{
		Name: pulumi.String(name), Version: pulumi.String(b.args.Version), RoleArn: role.Arn,
		VpcConfig: eks.ClusterVpcConfigArgs{
			SubnetIds: network.IDs(b.args.Network.Control), SecurityGroupIds: pulumi.StringArray{b.control.ID()},
			EndpointPrivateAccess: pulumi.Bool(true), EndpointPublicAccess: pulumi.Bool(false),
		},
		KubernetesNetworkConfig: eks.ClusterKubernetesNetworkConfigArgs{ServiceIpv4Cidr: pulumi.String(serviceCIDR), IpFamily: pulumi.String("ipv4")},
		EncryptionConfig: eks.ClusterEncryptionConfigArgs{
			Provider:  eks.ClusterEncryptionConfigProviderArgs{KeyArn: b.args.SecretsKeyArn.ToStringOutput()},
			Resources: pulumi.StringArray{pulumi.String("secrets")},
		},
		EnabledClusterLogTypes: clusterLogs,
		// Who may come in is in access entries, which an auditor can list, and not in
		// a ConfigMap of the cluster's; whoever happens to make it gets no rights.
		AccessConfig: eks.ClusterAccessConfigArgs{
			AuthenticationMode: pulumi.String("API"), BootstrapClusterCreatorAdminPermissions: pulumi.Bool(false),
		},
		// All of them are add-ons here, at a version that is written down.
		BootstrapSelfManagedAddons: pulumi.Bool(false),
		Tags:                       named(name),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{logs}), pulumi.Protect(b.args.Protect))
	if err != nil {
		return err
	}
	ca := b.eks.CertificateAuthority.Data().Elem()
	b.made.Cluster = component.Cluster{
		Name: name, API: component.Endpoint{Port: apiPort},
		Kubeconfig:    kubeconfig(name, b.eks.Endpoint, ca),
		CACertificate: ca.ApplyT(decoded).(pulumi.StringOutput),
		APIServers:    append(network.CIDRs(b.args.Network.Control), apiService),
		Resource:      b.eks,
	}
	return nil
}

// adminPolicy is AWS's name for cluster-admin.
const adminPolicy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// admins lets the administrators in.
func (b *builder) admins() error {
	for i, role := range b.args.AdminRoles {
		name := b.name("admin", string(rune('a'+i)))
		entry, err := eks.NewAccessEntry(b.ctx, name, &eks.AccessEntryArgs{ClusterName: b.eks.Name, PrincipalArn: role}, b.parent)
		if err != nil {
			return err
		}
		_, err = eks.NewAccessPolicyAssociation(b.ctx, name, &eks.AccessPolicyAssociationArgs{
			ClusterName: b.eks.Name, PrincipalArn: entry.PrincipalArn, PolicyArn: pulumi.String(adminPolicy),
			AccessScope: eks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}, b.parent)
		if err != nil {
			return err
		}
	}
	return nil
}

// role is a role with policies that AWS keeps.
func (b *builder) role(what, description, trust string, policies ...string) (*iam.Role, error) {
	name := b.name(what)
	role, err := iam.NewRole(b.ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String(description), AssumeRolePolicy: pulumi.String(trust),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	for i, policy := range policies {
		_, err := iam.NewRolePolicyAttachment(b.ctx, b.name(what, string(rune('a'+i))), &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String(policy),
		}, b.parent)
		if err != nil {
			return nil, err
		}
	}
	return role, nil
}
