// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"strings"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/policy"
)

// place are the environments in which a break is one. In all others what it spoils is not there, or nobody asks for it:
// that is held as well.
type place func(*environments.Cloud) bool

var (
	everyone place = func(*environments.Cloud) bool { return true }
	// serving are those of classes Live and Recovery, which hold what is of patients: only they vote about which site
	// serves, and rules ask more of them.
	serving place = func(e *environments.Cloud) bool { return e.Live != nil }
	others  place = func(e *environments.Cloud) bool { return e.Live == nil }
	// vaulted keep copies of backups in another account: tiers gold and platinum.
	vaulted place = func(e *environments.Cloud) bool { return e.Recovery.Vault == environments.VaultOtherAccount }
	// brokered have a broker of AWS's: classes Live, Recovery and Assurance. In the others it is in the cluster.
	brokered place = func(e *environments.Cloud) bool { return e.Broker.Kind == environments.BrokerAmazonMQ }
	// bookable run the booking service, whose balancer ends TLS; that of messages passes it on.
	bookable place = func(e *environments.Cloud) bool { return e.Service == environments.ServiceERS }
)

// breaks are ways to spoil a good plan: a change of one resource of a type, the first whose name has the suffix, and the
// rules and invariants that name it.
var breaks = []struct {
	what         string
	in           place
	kind, suffix string
	// change of the resource; nil takes it away, and what gets another URN is added.
	change func(r *policy.Resource)
	named  []string
}{
	{"in another region", everyone, awsProvider, "", set("eu-west-1", "region"), names("residency")},
	{"a copy of backups abroad", vaulted, "aws:backup/plan:Plan", "", abroad, names("residency")},
	{"another environment's role", everyone, rolePolicy, "", set(allow("sts:AssumeRole", "arn:aws:iam::999999999999:role/x"), "policy"), names("fenced-environments")},
	{"what another environment has, in one that serves", serving, awsProvider, "", as(stackReference, map[string]any{"name": "ers-dev"}), names("fenced-environments")},
	{"what one that serves has, in another", others, awsProvider, "", as(stackReference, map[string]any{"name": "ers-live"}), names("fenced-environments")},
	{"any account", everyone, awsProvider, "", remove("allowedAccountIds"), names("provider-account")},
	{"credentials of the shell", everyone, kmsKey, "", byDefault, names("explicit-provider")},
	{"no owner", everyone, awsProvider, "", remove("defaultTags", "tags", "spine.nhs.uk/owner"), names("owned", "every tag")},
	{"no cost centre", everyone, awsProvider, "", remove("defaultTags", "tags", "cost-centre"), names("every tag")},

	{"an unencrypted database", everyone, rdsCluster, "", set(false, "storageEncrypted"), names("database-encrypted")},
	{"an unencrypted vote", serving, dynamoTable, "", set(false, "serverSideEncryption", "enabled"), names("database-encrypted")},
	{"a bucket without a key", everyone, s3Encryption, "", nil, names("bucket-encrypted")},
	{"an unencrypted bucket", everyone, s3Encryption, "", set([]any{}, "rules"), names("bucket-encrypted")},
	{"an unencrypted topic", everyone, "aws:sns/topic:Topic", "", remove("kmsMasterKeyId"), names("storage-encrypted")},
	{"unencrypted backups", vaulted, backupVault, "", remove("kmsKeyArn"), names("storage-encrypted")},
	{"an unencrypted volume", everyone, kmsKey, "", as("aws:ebs/volume:Volume", map[string]any{"encrypted": false}), names("storage-encrypted")},
	{"volumes that may be unencrypted", everyone, "aws:ebs/encryptionByDefault:EncryptionByDefault", "", set(false, "enabled"), names("volumes-encrypted-by-default")},
	{"unencrypted Secrets", everyone, eksCluster, "", remove("encryptionConfig"), names("cluster-secrets-encrypted")},
	{"a key that stays the same", everyone, kmsKey, "", set(false, "enableKeyRotation"), names("key-rotated")},

	{"a database without TLS", everyone, "aws:rds/clusterParameterGroup:ClusterParameterGroup", "", set([]any{}, "parameters"), names("database-tls")},
	{"an edge with old TLS", bookable, lbListener, "-booking", set("ELBSecurityPolicy-2016-08", "sslPolicy"), names("tls-only")},
	{"messages in clear text", everyone, lbListener, "-messaging", set("HTTP", "protocol"), names("tls-only")},
	{"a bucket that is read without TLS", everyone, "aws:s3/bucketPolicy:BucketPolicy", "", set(`{"Statement":[]}`, "policy"), names("TLS to buckets")},
	{"a bucket without a policy", everyone, "aws:s3/bucketPolicy:BucketPolicy", "", nil, names("TLS to buckets")},

	{"a public database", everyone, rdsMember, "", set(true, "publiclyAccessible"), names("database-private")},
	{"a public broker", brokered, mqBroker, "", set(true, "publiclyAccessible"), names("database-private")},
	{"a public API", everyone, eksCluster, "", set(true, "vpcConfig", "endpointPublicAccess"), names("cluster-private")},
	{"a public bucket", everyone, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "", set(false, "blockPublicPolicy"), names("bucket-private")},
	{"a machine on the Internet", everyone, ec2Subnet, "", set(true, "mapPublicIpOnLaunch"), names("subnet-private", "no public path but the edge")},
	{"an open port behind the edge", everyone, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "", func(r *policy.Resource) {
		set(everywhere, "cidrIpv4")(r)
		set(22.0, "fromPort")(r)
	}, names("ingress-narrow", "no public path but the edge")},
	{"a default group that lets in", everyone, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "", set([]any{map[string]any{"protocol": "-1"}}, "ingress"),
		names("default-group-closed", "no public path but the edge")},
	{"a way in beside the edge", everyone, lbBalancer, "", func(r *policy.Resource) {
		r.URN = strings.Replace(r.URN, "spine:aws:Edge$", "", 1)
		set(false, "internal")(r)
	}, names("no public path but the edge")},
	{"a way out for machines", everyone, "aws:ec2/route:Route", "", func(r *policy.Resource) {
		r.Name = "apps"
		set("igw-1", "gatewayId")(r)
	}, names("no public path but the edge")},
	{"a machine outside the cluster", everyone, ec2Subnet, "", as("aws:ec2/instance:Instance", map[string]any{"instanceType": "t3.medium"}),
		names("no public path but the edge", "metadata-tokens", "the deployment's role has what it needs")},
	{"a machine that tells everybody its credentials", everyone, "aws:ec2/launchTemplate:LaunchTemplate", "", set("optional", "metadataOptions", "httpTokens"), names("metadata-tokens")},

	{"a database that can be deleted", everyone, rdsCluster, "", set(false, "deletionProtection"), names("database-deletion-protected")},
	{"a vote that can be deleted", serving, dynamoTable, "", set(false, "deletionProtectionEnabled"), names("database-deletion-protected")},
	{"a way in that can be deleted", everyone, lbBalancer, "", set(false, "enableDeletionProtection"), names("balancer-protected")},
	{"data that Pulumi may delete", serving, s3Bucket, "", func(r *policy.Resource) { r.Protect = false }, names("protected")},
	{"a database that goes", serving, rdsCluster, "", func(r *policy.Resource) { r.Operation = policy.Delete }, names("never-discarded")},
	{"letters that are lost", serving, s3Bucket, "", func(r *policy.Resource) { r.Operation = policy.Replace }, names("never-discarded")},
	{"a bucket that goes with all in it", everyone, s3Bucket, "", set(true, "forceDestroy"), names("bucket-kept")},
	{"a key that is gone in a week", everyone, kmsKey, "", set(7.0, "deletionWindowInDays"), names("key-kept")},
	{"a secret that is gone at once", everyone, "aws:secretsmanager/secret:Secret", "", set(0.0, "recoveryWindowInDays"), names("secret-kept")},

	{"a database without backups", everyone, rdsCluster, "", set(1.0, "backupRetentionPeriod"), names("database-backups")},
	{"a vote without backups", serving, dynamoTable, "", set(false, "pointInTimeRecovery", "enabled"), names("database-backups")},
	{"a bucket that forgets", everyone, "aws:s3/bucketVersioningV2:BucketVersioningV2", "", set("Suspended", "versioningConfiguration", "status"), names("bucket-versioned")},
	{"a backup plan that forgets", vaulted, "aws:backup/plan:Plan", "", set([]any{}, "rules"), names("backup-plan")},
	{"a vault that forgets", vaulted, "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "", set(1.0, "minRetentionDays"), names("backup-locked")},
	{"a vault without a lock", vaulted, "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "", nil, names("backup-locked")},

	{"a zone less", everyone, ec2Subnet, "-apps-a", set("eu-west-2b", "availabilityZone"), names("in three zones")},
	{"machines in two zones", everyone, eksNodes, "", nil, names("in three zones")},
	{"a way in to two zones", everyone, lbBalancer, "", set([]any{"a", "b"}, "subnets"), names("in three zones")},
	{"a broker in two zones", brokered, mqBroker, "", set([]any{"a", "b"}, "subnetIds"), names("in three zones")},
	{"a broker in one zone", brokered, mqBroker, "", set("SINGLE_INSTANCE", "deploymentMode"), names("broker-multi-zone")},
	{"a database in two zones", serving, rdsMember, "-db-1", set("eu-west-2b", "availabilityZone"), names("database-multi-zone")},
	{"a database without its third", serving, rdsMember, "-db-1", nil, names("database-multi-zone")},

	{"a wildcard", everyone, rolePolicy, "", set(allow("s3:*", "*"), "policy"), names("no wildcard permission")},
	{"all of it", everyone, rolePolicy, "", set(allow("*", "*"), "policy"), names("least-privilege", "no wildcard permission")},
	{"a role for anybody", everyone, "aws:iam/role:Role", "", set(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`, "assumeRolePolicy"), names("named-principals")},
	{"a key that lasts", everyone, "aws:iam/role:Role", "", as("aws:iam/accessKey:AccessKey", map[string]any{"user": "robot"}), names("no-lasting-keys")},
	{"a deployment without rights", everyone, "aws:iam/policy:Policy", "-deploy-b", set(`{"Statement":[]}`, "policy"), names("the deployment's role has what it needs")},
	{"a deployment with a right too many", everyone, "aws:iam/policy:Policy", "-deploy-b", func(r *policy.Resource) {
		text, _ := r.Inputs["policy"].(string)
		r.Inputs["policy"] = strings.Replace(text, `"Statement":[`, `"Statement":[{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"},`, 1)
	}, names("the deployment's role has what it needs")},

	{"a budget that tells nobody", everyone, awsBudget, "", set([]any{}, "notifications"), names("a budget tells somebody", "budget-watched")},
	{"no budget", everyone, awsBudget, "", nil, names("a budget tells somebody", "budget-watched")},
	{"machines that nobody has priced", everyone, eksNodes, "", set([]any{"x9.huge"}, "instanceTypes"), names("everything has a price")},

	{"logs for a month", everyone, "aws:cloudwatch/logGroup:LogGroup", "", set(30.0, "retentionInDays"), names("logs-kept")},
	{"a network of which nobody knows who talks", everyone, "aws:ec2/flowLog:FlowLog", "", nil, names("flow-logs")},
	{"an API of which nobody knows who asks", everyone, eksCluster, "", set([]any{"api"}, "enabledClusterLogTypes"), names("cluster-logs")},
	{"a way in of which nobody knows who came", everyone, lbBalancer, "", set(false, "accessLogs", "enabled"), names("balancer-protected")},
	{"a trail of one region", everyone, "aws:cloudtrail/trail:Trail", "", set(false, "isMultiRegionTrail"), names("trail-whole")},
	{"a database with known faults", everyone, rdsMember, "", set(false, "autoMinorVersionUpgrade"), names("database-updates")},
	{"a broker with known faults", brokered, mqBroker, "", set(false, "autoMinorVersionUpgrade"), names("database-updates")},
	{"images that change", everyone, kmsKey, "", as("aws:ecr/repository:Repository", map[string]any{"imageTagMutability": "MUTABLE"}), names("images-immutable")},
}

// Types that more than one break is about.
const (
	awsBudget      = "aws:budgets/budget:Budget"
	awsProvider    = "pulumi:providers:aws"
	backupVault    = "aws:backup/vault:Vault"
	dynamoTable    = "aws:dynamodb/table:Table"
	ec2Subnet      = "aws:ec2/subnet:Subnet"
	eksCluster     = "aws:eks/cluster:Cluster"
	eksNodes       = "aws:eks/nodeGroup:NodeGroup"
	kmsKey         = "aws:kms/key:Key"
	lbBalancer     = "aws:lb/loadBalancer:LoadBalancer"
	lbListener     = "aws:lb/listener:Listener"
	mqBroker       = "aws:mq/broker:Broker"
	rdsCluster     = "aws:rds/cluster:Cluster"
	rdsMember      = "aws:rds/clusterInstance:ClusterInstance"
	rolePolicy     = "aws:iam/rolePolicy:RolePolicy"
	s3Bucket       = "aws:s3/bucketV2:BucketV2"
	s3Encryption   = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	stackReference = "pulumi:pulumi:StackReference"
)
