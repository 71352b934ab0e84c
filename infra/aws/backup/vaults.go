// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

const (
	// leastDays and mostDays are what the lock lets recovery points be kept for: what
	// the plan makes, and no job of anybody's for less or for ever.
	leastDays = 35
	mostDays  = 2555
	// region ends the names of services: backups do not leave the one in the UK.
	region = ".eu-west-2.amazonaws.com"
	// keyDeletionDays is the longest that KMS lets a deletion be taken back.
	keyDeletionDays = 30
)

// vault makes a vault with its lock. Without a grace period the lock can be lifted by
// who has backup:DeleteBackupVaultLockConfiguration; with one it is final when that is
// over, and two people have to have seen it in the plan.
func (a *Args) vault(ctx *pulumi.Context, name string, key pulumi.StringInput, under ...pulumi.ResourceOption) (*backup.Vault, error) {
	vault, err := backup.NewVault(ctx, name, &backup.VaultArgs{
		Name: pulumi.String(name), KmsKeyArn: key, ForceDestroy: pulumi.Bool(false),
		Tags: pulumi.StringMap{"data-class": pulumi.String("patient")},
	}, append(under, pulumi.Protect(a.Protect))...)
	if err != nil {
		return nil, err
	}
	lock := &backup.VaultLockConfigurationArgs{
		BackupVaultName: vault.Name, MinRetentionDays: pulumi.Int(leastDays), MaxRetentionDays: pulumi.Int(mostDays),
	}
	if a.LockAfterDays > 0 {
		lock.ChangeableForDays = pulumi.Int(a.LockAfterDays)
	}
	_, err = backup.NewVaultLockConfiguration(ctx, name, lock, under...)
	return vault, err
}

// away makes the vault in the other account, with a key of that account: who holds all
// keys of the environment cannot read or destroy the copies. The options name the other
// account's provider.
func (a *Args) away(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*backup.Vault, error) {
	name := a.Names.Name("backup", "away")
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description: pulumi.String("Copies of recovery points of " + a.Names.Name()), EnableKeyRotation: pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyDeletionDays), Policy: pulumi.String(a.keyPolicy()),
	}, append(under, pulumi.Protect(a.Protect))...)
	if err != nil {
		return nil, err
	}
	if _, err := kms.NewAlias(ctx, name, &kms.AliasArgs{Name: pulumi.String("alias/" + name), TargetKeyId: key.KeyId}, under...); err != nil {
		return nil, err
	}
	vault, err := a.vault(ctx, name, key.Arn, under...)
	if err != nil {
		return nil, err
	}
	// The environment may put copies in. It may neither read nor delete any.
	_, err = backup.NewVaultPolicy(ctx, name, &backup.VaultPolicyArgs{
		BackupVaultName: vault.Name, Policy: pulumi.String(document.JSON(document.Statement{
			Sid: "CopiesIn", Principal: document.Account(a.Account), Action: []string{"backup:CopyIntoBackupVault"}, Resource: []string{"*"},
		})),
	}, under...)
	return vault, err
}

// keyPolicy lets the backup account manage its key, and AWS Backup there use it: by
// grants, which only services get, and by way of the services that hold recovery
// points.
func (a *Args) keyPolicy() string {
	here, own := []string{"*"}, document.Account(a.Away.Account)
	return document.JSON(
		document.Statement{
			Sid: "Manage", Principal: own, Resource: here,
			Action: []string{
				"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
				"kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
				"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource",
				"kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
			},
		},
		document.Statement{
			Sid: "UseThroughServices", Principal: own, Resource: here,
			Action: []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
			Condition: document.Conditions{"StringEquals": {
				"kms:CallerAccount": {a.Away.Account},
				"kms:ViaService":    {"backup" + region, "dynamodb" + region, "rds" + region, "s3" + region},
			}},
		},
		document.Statement{
			Sid: "GrantToServices", Principal: own, Action: []string{"kms:CreateGrant"}, Resource: here,
			Condition: document.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
	)
}

// failures are what somebody hears of: a job that did not do what it should.
var failures = []string{"BACKUP_JOB_FAILED", "COPY_JOB_FAILED", "RESTORE_JOB_FAILED", "BACKUP_JOB_EXPIRED"}

func (a *Args) notify(ctx *pulumi.Context, vault *backup.Vault, under ...pulumi.ResourceOption) error {
	_, err := backup.NewVaultNotifications(ctx, a.Names.Name("backup"), &backup.VaultNotificationsArgs{
		BackupVaultName: vault.Name, BackupVaultEvents: pulumi.ToStringArray(failures), SnsTopicArn: a.Alerts,
	}, under...)
	return err
}
