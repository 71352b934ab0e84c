// SPDX-License-Identifier: Apache-2.0

package database

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/credentials"
	"spine.nhs.uk/controlplane/infra/component"
)

// Database is what New makes.
type Database struct {
	pulumi.ResourceState

	// Database is how it is used.
	Database component.Database
	// ID is the cluster's identifier and ARN its ARN, for backups, alarms and
	// schedules; SecurityGroup is its own.
	ID, ARN, SecurityGroup pulumi.StringOutput
	// Instances are the identifiers of its instances.
	Instances []pulumi.StringOutput
}

const (
	engine = "aurora-postgresql"
	port   = 5432
	// backupDays is how far back the database can be taken, to any moment: the most
	// that Aurora offers, and what the rule database-backups asks of all of them.
	backupDays = 35
	// Owner is the name of the first user, whom services sign in as: their schemas are its.
	// Its password is the stack's, and not one that RDS changes every 7 days by itself: then
	// nobody would tell the services, and they would stop. A new one in the configuration is
	// set here and in the services' Secrets by the same update, and read at once.
	Owner = "spine_admin"
	// backupWindow and maintenanceWindow, in UTC, are after the evening poll of
	// appointments and before the working day.
	backupWindow      = "01:00-02:00"
	maintenanceWindow = "sun:02:30-sun:03:30"
	// authority signs the certificates of instances until 2061 (RDS user guide).
	authority = "rds-ca-rsa2048-g1"
	// insightDays is how long Performance Insights keeps what it saw: the free week.
	insightDays = 7
)

// New makes the database.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Database, error) {
	d := &Database{}
	if err := component.Register(ctx, component.TypeAWSDatabase, name, args, d, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(d)}
	group, err := args.securityGroup(ctx, under...)
	if err != nil {
		return nil, err
	}
	// Made first: RDS would make one without a key, which is never emptied.
	logs, err := cloudwatch.NewLogGroup(ctx, args.Names.Name("db", "logs"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/rds/cluster/" + args.Names.Name("db") + "/postgresql"),
		KmsKeyId:        args.LogsKey,
		RetentionInDays: pulumi.Int(args.LogDays),
	}, under...)
	if err != nil {
		return nil, err
	}
	cluster, err := args.cluster(ctx, group.ID(), append(under, pulumi.DependsOn([]pulumi.Resource{logs}))...)
	if err != nil {
		return nil, err
	}
	secret, err := credentials.New(ctx, args.Names.Name("db", "owner"), &credentials.Args{
		Description: "Owner of the database", Key: args.SecretsKey, Username: Owner, Password: args.Password,
	}, under...)
	if err != nil {
		return nil, err
	}
	if d.Instances, err = args.instances(ctx, cluster, under...); err != nil {
		return nil, err
	}
	d.ID, d.ARN, d.SecurityGroup = cluster.ClusterIdentifier, cluster.Arn, group.ID().ToStringOutput()
	d.Database = component.Database{
		Name: args.Names.Name("db"), Database: args.Database,
		Writer: cluster.Endpoint, Reader: cluster.ReaderEndpoint, Port: port,
		Credentials: secret.Arn, Resource: cluster,
	}
	return d, component.Done(ctx, d, pulumi.Map{
		"writer": cluster.Endpoint, "reader": cluster.ReaderEndpoint, "credentials": d.Database.Credentials,
	})
}

// cluster makes the storage and its settings, without any instance.
func (a *Args) cluster(ctx *pulumi.Context, group pulumi.StringInput, under ...pulumi.ResourceOption) (*rds.Cluster, error) {
	name := a.Names.Name("db")
	subnets, err := rds.NewSubnetGroup(ctx, name, &rds.SubnetGroupArgs{
		Name: pulumi.String(name), Description: pulumi.String("Private subnets of the database"), SubnetIds: a.Subnets,
	}, under...)
	if err != nil {
		return nil, err
	}
	parameters, err := a.parameters(ctx, under...)
	if err != nil {
		return nil, err
	}
	return rds.NewCluster(ctx, name, &rds.ClusterArgs{
		ClusterIdentifier:           pulumi.String(name),
		Engine:                      pulumi.String(engine),
		EngineVersion:               pulumi.String(a.Version),
		DatabaseName:                pulumi.String(a.Database),
		Port:                        pulumi.Int(port),
		DbSubnetGroupName:           subnets.Name,
		DbClusterParameterGroupName: parameters.Name,
		VpcSecurityGroupIds:         pulumi.StringArray{group},

		StorageEncrypted: pulumi.Bool(true),
		KmsKeyId:         a.Key,

		MasterUsername:                   pulumi.String(Owner),
		MasterPassword:                   pulumi.ToSecret(a.Password.ToStringOutput()).(pulumi.StringOutput).ToStringPtrOutput(),
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),

		BackupRetentionPeriod:   pulumi.Int(backupDays),
		PreferredBackupWindow:   pulumi.String(backupWindow),
		CopyTagsToSnapshot:      pulumi.Bool(true),
		DeletionProtection:      pulumi.Bool(!a.Deletable),
		SkipFinalSnapshot:       pulumi.Bool(false),
		FinalSnapshotIdentifier: pulumi.String(name + "-final"),

		PreferredMaintenanceWindow: pulumi.String(maintenanceWindow),
		// A change is made while those who made it watch: the environment's change
		// window is when `up` is run, and nothing waits for a Sunday to surprise.
		ApplyImmediately:             pulumi.Bool(true),
		AllowMajorVersionUpgrade:     pulumi.Bool(false),
		EnabledCloudwatchLogsExports: pulumi.ToStringArray([]string{"postgresql"}),
		Tags:                         pulumi.StringMap{"data-class": pulumi.String("patient")},
	}, append(under, pulumi.Protect(a.Protect))...)
}

// family is that of the parameters of a version: aurora-postgresql16.
func (a *Args) family() string {
	major, _, _ := strings.Cut(a.Version, ".")
	return engine + major
}
