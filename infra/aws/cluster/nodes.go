// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"maps"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/aws/network"
)

const (
	// image is Bottlerocket: nothing but what runs containers, a read-only system
	// that is replaced as a whole, no shell and no package manager to be misused.
	image = "BOTTLEROCKET_x86_64"
	// systemDisk and dataDisk are its two: of the system, and of images, logs and
	// pods' scratch space. systemGiB is what the system needs, twice, to change over.
	systemDisk, dataDisk = "/dev/xvda", "/dev/xvdb"
	systemGiB            = 4
	// hopLimit of 1 keeps the machine's own credentials from pods, which are a hop
	// further: they have those of Pod Identity.
	hopLimit = 1
)

// nodeGroups are managed groups, one for each kind and zone: the zones stay even
// whatever is added, one zone at a time is updated, and a volume's zone always has
// a machine.
func (b *builder) nodeGroups() (err error) {
	b.nodeRole, err = b.role("nodes", "Nodes of the cluster",
		document.JSON(document.Statement{Principal: document.Service("ec2.amazonaws.com"), Action: []string{"sts:AssumeRole"}}),
		// Joining, and pulling images; pods' rights are pods' own. Session Manager is
		// the way to a machine that has no SSH.
		"arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
		"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
		"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
	if err != nil {
		return err
	}
	b.made.NodeRoleArn = b.nodeRole.Arn
	for _, g := range b.args.Groups {
		template, err := b.template(g)
		if err != nil {
			return err
		}
		var before *eks.NodeGroup
		for _, s := range b.args.Network.Apps {
			made, err := b.nodeGroup(g, template, s, before)
			if err != nil {
				return err
			}
			before = made
			b.nodes = append(b.nodes, made)
			b.made.Groups[g.Name+"-"+s.Zone] = made.Resources.ApplyT(autoscalingGroup).(pulumi.StringOutput)
		}
	}
	return nil
}

// nodeGroup is one kind of machine in one zone. Each waits for that of the zone
// before, so that an update never takes machines of two zones at once. AWS makes a new
// group for another type of machine; the type is in the name, so that the new one is
// there before the old one is drained.
func (b *builder) nodeGroup(g Group, template *ec2.LaunchTemplate, s network.Subnet, before *eks.NodeGroup) (*eks.NodeGroup, error) {
	zone := s.Zone[len(network.Region):]
	name := b.name(append([]string{g.Name, zone}, strings.Split(g.InstanceTypes[0], ".")...)...)
	b.made.NodeGroups[g.Name+"-"+s.Zone] = name
	after := b.early
	if before != nil {
		after = append([]pulumi.Resource{before}, after...)
	}
	return eks.NewNodeGroup(b.ctx, b.name(g.Name, zone), &eks.NodeGroupArgs{
		ClusterName: b.eks.Name, NodeGroupName: pulumi.String(name), NodeRoleArn: b.nodeRole.Arn,
		Version: b.eks.Version, AmiType: pulumi.String(image), CapacityType: pulumi.String("ON_DEMAND"),
		InstanceTypes: pulumi.ToStringArray(g.InstanceTypes), SubnetIds: pulumi.StringArray{s.ID},
		LaunchTemplate: eks.NodeGroupLaunchTemplateArgs{
			Id: template.ID().ToStringOutput(), Version: pulumi.Sprintf("%d", template.LatestVersion),
		},
		ScalingConfig: eks.NodeGroupScalingConfigArgs{
			MinSize: pulumi.Int(g.PerZone), DesiredSize: pulumi.Int(g.PerZone), MaxSize: pulumi.Int(g.MostPerZone),
		},
		// One machine at a time, and by eviction: disruption budgets hold, and what is
		// acknowledged moves before its machine goes.
		UpdateConfig: eks.NodeGroupUpdateConfigArgs{MaxUnavailable: pulumi.Int(1)},
		Labels:       pulumi.ToStringMap(g.Labels),
		Tags:         named(name),
	}, b.parent, pulumi.DependsOn(after))
}

// template is what all machines of a kind have in common.
func (b *builder) template(g Group) (*ec2.LaunchTemplate, error) {
	name := b.name(g.Name)
	tags := maps.Clone(b.args.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags["Name"] = name
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: pulumi.ToStringMap(tags)})
	}
	return ec2.NewLaunchTemplate(b.ctx, name, &ec2.LaunchTemplateArgs{
		Name:                pulumi.String(name),
		VpcSecurityGroupIds: pulumi.StringArray{b.made.NodeSecurityGroup},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(hopLimit),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{b.disk(systemDisk, systemGiB), b.disk(dataDisk, g.DiskGiB)},
		TagSpecifications:   specifications,
		Tags:                named(name),
	}, b.parent)
}

// disk is encrypted with a key of the environment's, and goes with its machine.
func (b *builder) disk(device string, gib int) ec2.LaunchTemplateBlockDeviceMappingArgs {
	return ec2.LaunchTemplateBlockDeviceMappingArgs{
		DeviceName: pulumi.String(device),
		Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
			VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(gib), DeleteOnTermination: pulumi.String("true"),
			Encrypted: pulumi.String("true"), KmsKeyId: b.args.VolumesKeyArn.ToStringOutput(),
		},
	}
}

// autoscalingGroup is the name of the one group that EKS makes for a node group;
// empty while it is not there yet.
func autoscalingGroup(made []eks.NodeGroupResource) string {
	for _, m := range made {
		for _, g := range m.AutoscalingGroups {
			if g.Name != nil {
				return *g.Name
			}
		}
	}
	return ""
}
