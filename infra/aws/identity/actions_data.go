// SPDX-License-Identifier: Apache-2.0

package identity

// dataActions are those of keys, databases, brokers and secrets.
var dataActions = map[string][]grant{
	"aws:kms/key:Key": {
		on(anything, "kms", "CreateKey"),
		on(regional("kms", "key/*"), "kms", "DescribeKey GetKeyPolicy PutKeyPolicy GetKeyRotationStatus EnableKeyRotation DisableKeyRotation UpdateKeyDescription EnableKey DisableKey ScheduleKeyDeletion ListResourceTags TagResource UntagResource"),
	},
	"aws:kms/alias:Alias": {
		on(regional("kms", "alias/{env}*"), "kms", "CreateAlias UpdateAlias DeleteAlias"),
		on(regional("kms", "alias/spine/{env}*"), "kms", "CreateAlias UpdateAlias DeleteAlias"),
		on(regional("kms", "key/*"), "kms", "CreateAlias UpdateAlias DeleteAlias"),
		on(anything, "kms", "ListAliases"),
	},
	"aws:acm/certificate:Certificate": {
		on(regional("acm", "certificate/*"), "acm", "DeleteCertificate DescribeCertificate UpdateCertificateOptions ListTagsForCertificate AddTagsToCertificate RemoveTagsFromCertificate"),
		on(anything, "acm", "RequestCertificate"),
	},
	"aws:acm/certificateValidation:CertificateValidation": {on(regional("acm", "certificate/*"), "acm", "DescribeCertificate")},
	"aws:dynamodb/table:Table": {
		on(regional("dynamodb", "table/{env}-*"), "dynamodb", "CreateTable DeleteTable DescribeTable UpdateTable DescribeContinuousBackups UpdateContinuousBackups DescribeTimeToLive UpdateTimeToLive DescribeKinesisStreamingDestination TagResource UntagResource ListTagsOfResource"),
		useKeys, linked("dynamodb.application-autoscaling.amazonaws.com"),
	},
	"aws:rds/cluster:Cluster": {
		on(regional("rds", "cluster:{env}-*"), "rds", "CreateDBCluster DeleteDBCluster ModifyDBCluster AddTagsToResource RemoveTagsFromResource ListTagsForResource"),
		on(regional("rds", "subgrp:{env}-*"), "rds", "CreateDBCluster"),
		on(regional("rds", "cluster-pg:{env}-*"), "rds", "CreateDBCluster ModifyDBCluster"),
		on(regional("rds", "cluster-snapshot:{env}-*"), "rds", "CreateDBClusterSnapshot DeleteDBCluster"),
		on(anything, "rds", "DescribeDBClusters DescribeGlobalClusters DescribeDBEngineVersions"),
		useKeys, linked("rds.amazonaws.com"),
	},
	"aws:rds/clusterInstance:ClusterInstance": {
		on(regional("rds", "db:{env}-*"), "rds", "CreateDBInstance DeleteDBInstance ModifyDBInstance RebootDBInstance AddTagsToResource RemoveTagsFromResource ListTagsForResource"),
		on(regional("rds", "cluster:{env}-*"), "rds", "CreateDBInstance"),
		on(regional("rds", "subgrp:{env}-*"), "rds", "CreateDBInstance"),
		on(regional("rds", "pg:*"), "rds", "CreateDBInstance ModifyDBInstance"),
		on(anything, "rds", "DescribeDBInstances DescribeDBClusters"),
		useKeys,
	},
	"aws:rds/subnetGroup:SubnetGroup": {
		on(regional("rds", "subgrp:{env}-*"), "rds", "CreateDBSubnetGroup DeleteDBSubnetGroup ModifyDBSubnetGroup AddTagsToResource RemoveTagsFromResource ListTagsForResource"),
		on(anything, "rds", "DescribeDBSubnetGroups"), on(anything, "ec2", "DescribeSubnets DescribeVpcs"),
	},
	"aws:rds/clusterParameterGroup:ClusterParameterGroup": {
		on(regional("rds", "cluster-pg:{env}-*"), "rds", "CreateDBClusterParameterGroup DeleteDBClusterParameterGroup ModifyDBClusterParameterGroup ResetDBClusterParameterGroup DescribeDBClusterParameters AddTagsToResource RemoveTagsFromResource ListTagsForResource"),
		on(anything, "rds", "DescribeDBClusterParameterGroups"),
	},
	"aws:mq/broker:Broker": {
		on(regional("mq", "broker:*"), "mq", "DeleteBroker DescribeBroker UpdateBroker RebootBroker ListUsers DescribeUser CreateUser UpdateUser DeleteUser CreateTags DeleteTags ListTags"),
		on(anything, "mq", "CreateBroker ListBrokers DescribeBrokerInstanceOptions DescribeBrokerEngineTypes"),
		on(inEC2, "ec2", "CreateNetworkInterface CreateNetworkInterfacePermission DeleteNetworkInterface DeleteNetworkInterfacePermission DetachNetworkInterface CreateVpcEndpoint CreateTags"),
		on(anything, "ec2", "DescribeInternetGateways DescribeNetworkInterfaces DescribeNetworkInterfacePermissions DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeVpcs DescribeAccountAttributes DescribeVpcEndpoints"),
		on("arn:aws:route53:::hostedzone/*", "route53", "AssociateVPCWithHostedZone"),
		linked("mq.amazonaws.com"),
	},
	"aws:secretsmanager/secret:Secret": {
		on(regional("secretsmanager", "secret:{env}*"), "secretsmanager", "CreateSecret DeleteSecret DescribeSecret UpdateSecret RestoreSecret GetResourcePolicy TagResource UntagResource"),
		useKeys,
	},
	"aws:secretsmanager/secretVersion:SecretVersion": {
		on(regional("secretsmanager", "secret:{env}*"), "secretsmanager", "GetSecretValue PutSecretValue UpdateSecretVersionStage DescribeSecret"),
		useKeys,
	},
	"aws:scheduler/schedule:Schedule": {
		on(regional("scheduler", "schedule/*/{env}-*"), "scheduler", "CreateSchedule UpdateSchedule DeleteSchedule GetSchedule"),
	},
	"aws:scheduler/scheduleGroup:ScheduleGroup": {
		on(regional("scheduler", "schedule-group/{env}*"), "scheduler", "CreateScheduleGroup DeleteScheduleGroup GetScheduleGroup TagResource UntagResource ListTagsForResource"),
	},
	"aws:sfn/stateMachine:StateMachine": {
		on(regional("states", "stateMachine:{env}-*"), "states", "CreateStateMachine UpdateStateMachine DeleteStateMachine DescribeStateMachine ListStateMachineVersions TagResource UntagResource ListTagsForResource ValidateStateMachineDefinition"),
		on(anything, "logs", "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries PutResourcePolicy DescribeResourcePolicies DescribeLogGroups"),
	},
}
