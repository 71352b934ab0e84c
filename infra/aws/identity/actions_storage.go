// SPDX-License-Identifier: Apache-2.0

package identity

const (
	// buckets are the environment's; objects what is in them.
	buckets = "arn:aws:s3:::{env}-*"
	objects = "arn:aws:s3:::{env}-*/*"
)

// bucketPart is a type that sets one thing of a bucket.
func bucketPart(names string) []grant { return []grant{on(buckets, "s3", names+" ListBucket")} }

// storageActions are those of buckets and backups.
var storageActions = map[string][]grant{
	"aws:s3/bucketV2:BucketV2":                     {on(buckets, "s3", "CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration PutBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment GetBucketTagging PutBucketTagging GetBucketVersioning GetBucketWebsite GetAccelerateConfiguration GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration")},
	"aws:s3/bucketVersioningV2:BucketVersioningV2": bucketPart("GetBucketVersioning PutBucketVersioning"),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": bucketPart("GetEncryptionConfiguration PutEncryptionConfiguration"),
	"aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2":                     bucketPart("GetBucketObjectLockConfiguration PutBucketObjectLockConfiguration"),
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       bucketPart("GetLifecycleConfiguration PutLifecycleConfiguration"),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     bucketPart("GetBucketPublicAccessBlock PutBucketPublicAccessBlock"),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     bucketPart("GetBucketOwnershipControls PutBucketOwnershipControls"),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketPart("GetBucketPolicy PutBucketPolicy DeleteBucketPolicy"),
	"aws:s3/bucketObjectv2:BucketObjectv2": {
		on(objects, "s3", "GetObject GetObjectVersion PutObject DeleteObject DeleteObjectVersion GetObjectTagging PutObjectTagging GetObjectVersionTagging"),
		on(buckets, "s3", "ListBucket ListBucketVersions"),
	},
	"aws:backup/vault:Vault": {
		on(regional("backup", "backup-vault:{env}*"), "backup", "CreateBackupVault DeleteBackupVault DescribeBackupVault TagResource UntagResource ListTags"),
		on(anything, "backup-storage", "MountCapsule"),
		useKeys, linked("backup.amazonaws.com"),
	},
	"aws:backup/vaultLockConfiguration:VaultLockConfiguration": {
		on(regional("backup", "backup-vault:{env}*"), "backup", "PutBackupVaultLockConfiguration DeleteBackupVaultLockConfiguration DescribeBackupVault"),
	},
	"aws:backup/vaultPolicy:VaultPolicy": {
		on(regional("backup", "backup-vault:{env}*"), "backup", "PutBackupVaultAccessPolicy GetBackupVaultAccessPolicy DeleteBackupVaultAccessPolicy"),
	},
	"aws:backup/vaultNotifications:VaultNotifications": {
		on(regional("backup", "backup-vault:{env}*"), "backup", "PutBackupVaultNotifications GetBackupVaultNotifications DeleteBackupVaultNotifications"),
	},
	"aws:backup/plan:Plan": {
		on(regional("backup", "backup-plan:*"), "backup", "CreateBackupPlan UpdateBackupPlan DeleteBackupPlan GetBackupPlan TagResource UntagResource ListTags"),
	},
	"aws:backup/selection:Selection": {
		on(regional("backup", "backup-plan:*"), "backup", "CreateBackupSelection DeleteBackupSelection GetBackupSelection"),
	},
	"aws:backup/restoreTestingPlan:RestoreTestingPlan": {
		on(regional("backup", "restore-testing-plan:*"), "backup", "CreateRestoreTestingPlan UpdateRestoreTestingPlan DeleteRestoreTestingPlan GetRestoreTestingPlan TagResource UntagResource ListTags"),
	},
	"aws:backup/restoreTestingSelection:RestoreTestingSelection": {
		on(regional("backup", "restore-testing-plan:*"), "backup", "CreateRestoreTestingSelection UpdateRestoreTestingSelection DeleteRestoreTestingSelection GetRestoreTestingSelection"),
	},
}
