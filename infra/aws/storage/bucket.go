// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// abortDays is when parts of an upload that was never ended are thrown away: they
// cost, and nobody can read them.
const abortDays = 7

// FullName is a bucket's name in the world.
func (a *Args) FullName(b Bucket) string { return a.Names.Name(b.Name, a.Account) }

// FullARN is a bucket's ARN, known before it is made.
func (a *Args) FullARN(b Bucket) string { return "arn:aws:s3:::" + a.FullName(b) }

// NewBucket makes one bucket with all that belongs to it. The statements, if any, say
// who else than the account's own roles may use it.
func NewBucket(ctx *pulumi.Context, a *Args, b Bucket, statements []document.Statement, under ...pulumi.ResourceOption) (Stored, error) {
	name := a.Names.Name(b.Name)
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		Bucket: pulumi.String(a.FullName(b)),
		// A bucket that holds anything cannot be deleted.
		ForceDestroy:      pulumi.Bool(false),
		ObjectLockEnabled: pulumi.Bool(true),
		Tags:              pulumi.StringMap{"data-class": pulumi.String(b.Data)},
	}, append(under, pulumi.Protect(a.Protect))...)
	if err != nil {
		return Stored{}, err
	}
	versions, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, under...)
	if err != nil {
		return Stored{}, err
	}
	after := func(r pulumi.Resource) []pulumi.ResourceOption {
		return append(under, pulumi.DependsOn([]pulumi.Resource{r}))
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: a.Key,
			},
			// One data key serves many objects: KMS is asked, and paid, a hundredth as often.
			BucketKeyEnabled: pulumi.Bool(true),
		}},
	}, under...)
	if err != nil {
		return Stored{}, err
	}
	_, err = s3.NewBucketObjectLockConfigurationV2(ctx, name, &s3.BucketObjectLockConfigurationV2Args{
		Bucket: bucket.ID(),
		Rule: &s3.BucketObjectLockConfigurationV2RuleArgs{DefaultRetention: &s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{
			Mode: pulumi.String(b.Lock), Days: pulumi.Int(b.LockDays),
		}},
	}, after(versions)...)
	if err != nil {
		return Stored{}, err
	}
	if err := lifecycle(ctx, name, bucket, b, after(versions)...); err != nil {
		return Stored{}, err
	}
	ready, err := a.access(ctx, name, bucket, b, statements, under...)
	return Stored{Name: bucket.Bucket, ARN: bucket.Arn, Ready: ready}, err
}

// lifecycle moves and ends objects by age. Only objects above 128 KB move, S3's own
// default: the other class bills each object as that large, and the average document of
// e-RS has 55 KB (13 TB in 235 million).
func lifecycle(ctx *pulumi.Context, name string, bucket *s3.BucketV2, b Bucket, under ...pulumi.ResourceOption) error {
	rule := &s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("all"), Status: pulumi.String("Enabled"),
		Filter:                         &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{DaysAfterInitiation: pulumi.Int(abortDays)},
		NoncurrentVersionExpiration:    &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(b.OldVersionDays)},
	}
	if b.InfrequentDays > 0 {
		rule.Transitions = s3.BucketLifecycleConfigurationV2RuleTransitionArray{&s3.BucketLifecycleConfigurationV2RuleTransitionArgs{
			Days: pulumi.Int(b.InfrequentDays), StorageClass: pulumi.String("STANDARD_IA"),
		}}
	}
	if b.ExpireDays > 0 {
		rule.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.ExpireDays)}
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(), Rules: s3.BucketLifecycleConfigurationV2RuleArray{rule}}, under...)
	return err
}

// access closes the bucket to the public, takes access lists out of use, and refuses
// what comes without TLS 1.2.
func (a *Args) access(ctx *pulumi.Context, name string, bucket *s3.BucketV2, b Bucket, statements []document.Statement, under ...pulumi.ResourceOption) (pulumi.Resource, error) {
	block, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, under...)
	if err != nil {
		return nil, err
	}
	owner, err := s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(),
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, append(under, pulumi.DependsOn([]pulumi.Resource{block}))...)
	if err != nil {
		return nil, err
	}
	// S3 refuses two changes of a bucket's access at a time: one after the other.
	return s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(), Policy: pulumi.String(document.JSON(append(a.refusals(b), statements...)...)),
	}, append(under, pulumi.DependsOn([]pulumi.Resource{owner}))...)
}

// refusals hold for everybody, whatever their roles allow. (CIS AWS 2.1.1)
func (a *Args) refusals(b Bucket) []document.Statement {
	everybody := document.Principals{"AWS": {"*"}}
	all := []string{a.FullARN(b), a.FullARN(b) + "/*"}
	return []document.Statement{
		{
			Sid: "TLSOnly", Effect: "Deny", Principal: everybody, Action: []string{"s3:*"}, Resource: all,
			Condition: document.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		{
			Sid: "TLS12", Effect: "Deny", Principal: everybody, Action: []string{"s3:*"}, Resource: all,
			Condition: document.Conditions{"NumericLessThan": {"s3:TlsVersion": {"1.2"}}},
		},
	}
}
