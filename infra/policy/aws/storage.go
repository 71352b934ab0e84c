// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"cmp"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	volume     = "aws:ebs/volume:Volume"
	fileSystem = "aws:efs/fileSystem:FileSystem"
	key        = "aws:kms/key:Key"
	vault      = "aws:backup/vault:Vault"
	publicness = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	queue      = "aws:sqs/queue:Queue"
	topic      = "aws:sns/topic:Topic"
)

var buckets = []string{"aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"}

// keyWaitDays is how long a key that was deleted by mistake can be had back.
const keyWaitDays = 30

func storageRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "storage-encrypted", Controls: append(cis("2.2.1", "2.4.1"), ncsc("2.3")...),
			Types:       []string{volume, fileSystem, vault, queue, topic},
			Explanation: "Volumes, file systems, backups, queues and topics are encrypted with a key of ours.",
			Fix:         "Set encrypted and the key.",
			Check: byType(map[string][]policy.Demand{
				volume:     {policy.IsTrue("encrypted"), policy.IsSet("kmsKeyId")},
				fileSystem: {policy.IsTrue("encrypted"), policy.IsSet("kmsKeyId")},
				vault:      {policy.IsSet("kmsKeyArn")},
				queue:      {policy.IsSet("kmsMasterKeyId")},
				topic:      {policy.IsSet("kmsMasterKeyId")},
			}),
		},
		{
			Name: "volumes-encrypted-by-default", Controls: append(cis("2.2.1"), ncsc("2.3")...),
			Types:       []string{"aws:ebs/encryptionByDefault:EncryptionByDefault"},
			Explanation: "Nobody can make a volume in the account that is not encrypted.",
			Fix:         "Set enabled to true.",
			Check:       policy.Demands(onByDefault("enabled")),
		},
		{
			Name: "bucket-private", Controls: append(cis("2.1.4"), ncsc("11")...),
			Explanation: "No bucket can be opened to the public, whatever its policy or lists say.",
			Fix:         "Add a BucketPublicAccessBlock with all four switches on.",
			CheckStack: companions(buckets, publicness, "bucket", "the bucket has no BucketPublicAccessBlock",
				policy.IsTrue("blockPublicAcls"), policy.IsTrue("blockPublicPolicy"), policy.IsTrue("ignorePublicAcls"), policy.IsTrue("restrictPublicBuckets")),
		},
		{
			Name: "bucket-encrypted", Controls: ncsc("2.3"),
			Explanation: "Buckets are encrypted with a key of ours. A bucket that an application load balancer writes its access logs to has one of Amazon's: the balancer can write to no other.",
			Fix:         "Add a BucketServerSideEncryptionConfigurationV2 with sseAlgorithm aws:kms.",
			CheckStack:  bucketsEncrypted,
		},
		{
			Name: "bucket-versioned", Controls: append(caf("D1"), ncsc("2.6")...),
			Explanation: "What was overwritten or deleted in a bucket can be had back.",
			Fix:         "Add a BucketVersioningV2 with status Enabled.",
			CheckStack: companions(buckets, "aws:s3/bucketVersioningV2:BucketVersioningV2", "bucket", "the bucket has no BucketVersioningV2",
				policy.OneOf([]string{"Enabled"}, "versioningConfiguration", "status")),
		},
		{
			Name: "bucket-kept", Controls: append(caf("B5"), controls(policy.Spine, "5")...), Types: buckets,
			Explanation: "A bucket that holds anything cannot be deleted.",
			Fix:         "Set forceDestroy to false.",
			Check:       policy.Demands(policy.IsNotTrue("forceDestroy")),
		},
		{
			Name: "key-rotated", Controls: append(cis("3.6"), ncsc("2.3")...), Types: []string{key},
			Explanation: "Keys get new material every year.",
			Fix:         "Set enableKeyRotation to true.",
			Check: func(r policy.Resource, _ policy.Environment) []policy.Finding {
				// AWS rotates symmetric keys that it made itself, and no others.
				if spec := r.Input("customerMasterKeySpec").Text(); spec != "" && spec != "SYMMETRIC_DEFAULT" {
					return nil
				}
				return policy.Unmet(r.Input(), policy.IsTrue("enableKeyRotation"))
			},
			Remediate: func(policy.Resource) []policy.Edit { return set(true, "enableKeyRotation") },
		},
		{
			Name: "key-kept", Controls: append(caf("D1"), ncsc("2.6")...), Types: []string{key},
			Explanation: "A key that was deleted by mistake can be had back for 30 days: with it goes all that it encrypts.",
			Fix:         "Set deletionWindowInDays to 30.",
			Check: policy.Demands(policy.Demand{Path: policy.Path{"deletionWindowInDays"}, Wanted: "30", Met: func(n policy.Node) bool {
				return n.Missing() || n.Number() >= keyWaitDays
			}}),
		},
		{
			Name: "backup-locked", Controls: append(caf("D1"), ncsc("2.6")...),
			Explanation: "Backups in a vault cannot be deleted before their time, by nobody.",
			Fix:         "Add a VaultLockConfiguration with minRetentionDays of at least 35. It is one-way: two people.",
			CheckStack: companions([]string{vault}, "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "backupVaultName",
				"the vault has no VaultLockConfiguration", policy.AtLeast(dailyDays, "minRetentionDays")),
		},
		{
			Name: "backup-plan", Controls: caf("D1"), Types: []string{"aws:backup/plan:Plan"},
			Explanation: "Daily backups are kept for 35 days, weekly ones for 90 and monthly ones for 2,555, and a copy of each is elsewhere.",
			Fix:         "Give the plan three rules with a lifecycle of 35, 90 and 2555 days (deleteAfter) and a copyAction.",
			Check:       backupPlan,
		},
	}
}

// keptDays are how long monthly, weekly and daily backups are kept.
var keptDays = []float64{2555, 90, dailyDays}

func backupPlan(r policy.Resource, _ policy.Environment) []policy.Finding {
	rules := r.Input("rules")
	var found []policy.Finding
	var days []float64
	for _, rule := range rules.Items() {
		found = append(found, policy.Unmet(rule, policy.IsSet("copyActions"))...)
		kept := rule.At("lifecycle", "deleteAfter")
		if kept.Hidden() {
			return found
		}
		days = append(days, kept.Number())
	}
	slices.SortFunc(days, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, least := range keptDays {
		if !rules.Hidden() && (i >= len(days) || days[i] < least) {
			return append(found, rules.Found("no backups are kept for %v days", least))
		}
	}
	return found
}
