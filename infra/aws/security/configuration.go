// SPDX-License-Identifier: Apache-2.0

package security

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cfg"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/aws/storage"
)

// rules are AWS's own that ask for what no standard of Security Hub does: that what
// was made outside of Pulumi is recoverable too, and that what Pulumi made stays so.
// Each costs per evaluation, so none stands here twice.
var rules = []struct{ name, identifier, why string }{
	{"aurora-backed-up", "AURORA_RESOURCES_PROTECTED_BY_BACKUP_PLAN", "Every database is in a backup plan"},
	{"table-backed-up", "DYNAMODB_RESOURCES_PROTECTED_BY_BACKUP_PLAN", "Every table is in a backup plan"},
	{"points-kept", "BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED", "Nobody can delete a recovery point by hand"},
	{"points-encrypted", "BACKUP_RECOVERY_POINT_ENCRYPTED", "Recovery points are encrypted"},
	{"database-protected", "RDS_CLUSTER_DELETION_PROTECTION_ENABLED", "AWS refuses to delete a database"},
	{"database-iam", "RDS_CLUSTER_IAM_AUTHENTICATION_ENABLED", "Programs sign in to databases by their role"},
	{"bucket-locked", "S3_BUCKET_DEFAULT_LOCK_ENABLED", "Objects cannot be deleted before their time"},
	{"bucket-tls", "S3_BUCKET_SSL_REQUESTS_ONLY", "Buckets refuse what comes without TLS"},
	{"bucket-account-private", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS", "The account refuses public buckets as a whole"},
	{"cluster-private", "EKS_ENDPOINT_NO_PUBLIC_ACCESS", "Kubernetes' API is reached from inside only"},
	{"cluster-secrets", "EKS_SECRETS_ENCRYPTED", "Kubernetes' secrets are encrypted with a key of ours"},
}

// configuration records what every resource looked like and when, and judges it.
// (CIS AWS 3.3)
func (a *Args) configuration(ctx *pulumi.Context, bucket storage.Stored, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("config")
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String("AWS Config reads the account and writes its history"),
		AssumeRolePolicy: pulumi.String(document.Trust("config.amazonaws.com", a.Account)),
	}, under...)
	if err != nil {
		return err
	}
	reads, err := iam.NewRolePolicyAttachment(ctx, name, &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"),
	}, under...)
	if err != nil {
		return err
	}
	writes, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Name: pulumi.String("write-history"), Role: role.ID(), Policy: pulumi.String(document.JSON(
			document.Statement{Action: []string{"s3:GetBucketAcl"}, Resource: []string{a.storage().FullARN(a.evidence())}},
			document.Statement{
				Action:   []string{"s3:PutObject"},
				Resource: []string{a.storage().FullARN(a.evidence()) + "/AWSLogs/" + a.Account + "/Config/*"},
			})),
	}, under...)
	if err != nil {
		return err
	}
	recorder, err := cfg.NewRecorder(ctx, name, &cfg.RecorderArgs{
		Name: pulumi.String(name), RoleArn: role.Arn,
		RecordingGroup: &cfg.RecorderRecordingGroupArgs{AllSupported: pulumi.Bool(true), IncludeGlobalResourceTypes: pulumi.Bool(true)},
	}, append(under, pulumi.DependsOn([]pulumi.Resource{reads, writes}))...)
	if err != nil {
		return err
	}
	channel, err := cfg.NewDeliveryChannel(ctx, name, &cfg.DeliveryChannelArgs{
		Name: pulumi.String(name), S3BucketName: bucket.Name, S3KmsKeyArn: a.Key,
		// A whole picture each day; changes come as they happen.
		SnapshotDeliveryProperties: &cfg.DeliveryChannelSnapshotDeliveryPropertiesArgs{DeliveryFrequency: pulumi.String("TwentyFour_Hours")},
	}, append(under, pulumi.DependsOn([]pulumi.Resource{recorder, bucket.Ready}))...)
	if err != nil {
		return err
	}
	recording, err := cfg.NewRecorderStatus(ctx, name, &cfg.RecorderStatusArgs{
		Name: recorder.Name, IsEnabled: pulumi.Bool(true),
	}, append(under, pulumi.DependsOn([]pulumi.Resource{channel}))...)
	if err != nil {
		return err
	}
	for _, r := range rules {
		_, err := cfg.NewRule(ctx, a.Names.Name(r.name), &cfg.RuleArgs{
			Name: pulumi.String(a.Names.Name(r.name)), Description: pulumi.String(r.why),
			Source: &cfg.RuleSourceArgs{Owner: pulumi.String("AWS"), SourceIdentifier: pulumi.String(r.identifier)},
		}, append(under, pulumi.DependsOn([]pulumi.Resource{recording}))...)
		if err != nil {
			return err
		}
	}
	return nil
}
