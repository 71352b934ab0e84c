// SPDX-License-Identifier: Apache-2.0

package database

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// settings of PostgreSQL that differ from Aurora's own, and why.
var settings = []struct{ name, value, apply string }{
	// No connection without TLS, and none older than 1.2.
	{"rds.force_ssl", "1", "immediate"},
	{"ssl_min_protocol_version", "TLSv1.2", "immediate"},
	// Who connected, changed tables or waited for a lock is logged. The text of other
	// statements is not, nor the values in them, even of those that fail: they would
	// bring patients' data into the logs.
	{"log_connections", "1", "immediate"},
	{"log_lock_waits", "1", "immediate"},
	{"log_statement", "ddl", "immediate"},
	{"log_min_error_statement", "panic", "immediate"},
	{"log_parameter_max_length", "0", "immediate"},
	{"log_parameter_max_length_on_error", "0", "immediate"},
}

func (a *Args) parameters(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*rds.ClusterParameterGroup, error) {
	list := make(rds.ClusterParameterGroupParameterArray, len(settings))
	for i, s := range settings {
		list[i] = &rds.ClusterParameterGroupParameterArgs{
			Name: pulumi.String(s.name), Value: pulumi.String(s.value), ApplyMethod: pulumi.String(s.apply),
		}
	}
	// The family is in the name: a new major version gets a new group beside the old.
	name := a.Names.Name("db", a.family())
	return rds.NewClusterParameterGroup(ctx, name, &rds.ClusterParameterGroupArgs{
		Name: pulumi.String(name), Family: pulumi.String(a.family()),
		Description: pulumi.String("TLS only; no patients' data in logs"), Parameters: list,
	}, under...)
}

// instances makes the primary and its standbys, each zone in turn.
func (a *Args) instances(ctx *pulumi.Context, cluster *rds.Cluster, under ...pulumi.ResourceOption) ([]pulumi.StringOutput, error) {
	var made []pulumi.StringOutput
	for i := range a.Instances {
		name := a.Names.Name("db", strconv.Itoa(i+1))
		instance, err := rds.NewClusterInstance(ctx, name, &rds.ClusterInstanceArgs{
			Identifier:         pulumi.String(name),
			ClusterIdentifier:  cluster.ClusterIdentifier,
			Engine:             pulumi.String(engine),
			InstanceClass:      pulumi.String(a.InstanceClass),
			AvailabilityZone:   pulumi.String(a.Zones[i%len(a.Zones)]),
			PubliclyAccessible: pulumi.Bool(false),
			CaCertIdentifier:   pulumi.String(authority),
			// All are alike, so any may be the next primary.
			PromotionTier: pulumi.Int(1),
			// Security fixes come in the maintenance window (CIS AWS 2.3.2).
			AutoMinorVersionUpgrade: pulumi.Bool(true),
			ApplyImmediately:        pulumi.Bool(true),
			CopyTagsToSnapshot:      pulumi.Bool(true),
			// What takes the time is seen per statement, encrypted like the data itself.
			PerformanceInsightsEnabled:         pulumi.Bool(true),
			PerformanceInsightsKmsKeyId:        a.Key,
			PerformanceInsightsRetentionPeriod: pulumi.Int(insightDays),
		}, under...)
		if err != nil {
			return nil, err
		}
		made = append(made, instance.Identifier)
	}
	return made, nil
}

// securityGroup lets the clients in, and the database out to nobody.
func (a *Args) securityGroup(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	name := a.Names.Name("db")
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Name: pulumi.String(name), VpcId: a.VPC, Description: pulumi.String("The database: its clients only"),
		Tags: pulumi.StringMap{"Name": pulumi.String(name)},
	}, under...)
	if err != nil {
		return nil, err
	}
	for i, client := range a.Clients {
		_, err := vpc.NewSecurityGroupIngressRule(ctx, a.Names.Name("db", "from", strconv.Itoa(i+1)), &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(), ReferencedSecurityGroupId: client, IpProtocol: pulumi.String("tcp"),
			FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String("PostgreSQL over TLS"),
		}, under...)
		if err != nil {
			return nil, err
		}
	}
	return group, nil
}
