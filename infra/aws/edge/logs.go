// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// logPrefix is the folder of logs in the bucket.
const logPrefix = "logs"

// oldVersionDays is how long what was overwritten or deleted can be had back.
const oldVersionDays = 30

// logKey is the key of the bucket of logs: ours, unless an application load balancer writes
// to it, which can with S3's own key only (Elastic Load Balancing, "enable access logs").
func (b *builder) logKey() s3.BucketServerSideEncryptionConfigurationV2RuleArgs {
	key := s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")}
	if b.args.Booking == nil {
		key.SseAlgorithm, key.KmsMasterKeyId = pulumi.String("aws:kms"), b.args.LogKeyArn.ToStringOutput().ToStringPtrOutput()
	}
	return s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: key, BucketKeyEnabled: pulumi.Bool(b.args.Booking == nil),
	}
}

// logs makes the bucket that balancers write to.
func (b *builder) logs() error {
	name := b.name("edge", b.args.Account) // names of buckets are one for the world
	under := b.parent
	bucket, err := s3.NewBucketV2(b.ctx, b.name("edge"), &s3.BucketV2Args{
		Bucket: pulumi.String(name), ForceDestroy: pulumi.Bool(false), Tags: named(name),
	}, under, pulumi.Protect(b.args.Protect))
	if err != nil {
		return err
	}
	b.bucket = bucket
	blocked, err := s3.NewBucketPublicAccessBlock(b.ctx, b.name("edge"), &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.Bucket, BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, under)
	if err != nil {
		return err
	}
	versioned, err := s3.NewBucketVersioningV2(b.ctx, b.name("edge"), &s3.BucketVersioningV2Args{
		Bucket:                  bucket.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, under)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, b.name("edge"), &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules:  s3.BucketServerSideEncryptionConfigurationV2RuleArray{b.logKey()},
	}, under)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(b.ctx, b.name("edge"), &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("logs"), Status: pulumi.String("Enabled"),
			Filter:                      s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(logPrefix + "/")},
			Expiration:                  s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.args.LogDays)},
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(oldVersionDays)},
		}},
	}, under, pulumi.DependsOn([]pulumi.Resource{versioned}))
	if err != nil {
		return err
	}
	policy, err := s3.NewBucketPolicy(b.ctx, b.name("edge"), &s3.BucketPolicyArgs{
		Bucket: bucket.Bucket, Policy: pulumi.String(b.logPolicy(name)),
	}, under, pulumi.DependsOn([]pulumi.Resource{blocked}))
	b.ready = []pulumi.Resource{policy, versioned}
	return err
}

// logPolicy lets the two services write that deliver balancers' logs, on behalf of
// the account, and nobody in without TLS.
func (b *builder) logPolicy(bucket string) string {
	arn := "arn:aws:s3:::" + bucket
	logs := arn + "/" + logPrefix + "/*"
	return document.JSON(
		document.Statement{
			Sid: "TLSOnly", Effect: "Deny", Principal: document.Principals{"AWS": {"*"}}, Action: []string{"s3:*"},
			Resource: []string{arn, arn + "/*"}, Condition: document.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		document.Statement{
			Sid: "ApplicationBalancers", Principal: document.Service("logdelivery.elasticloadbalancing.amazonaws.com"),
			Action: []string{"s3:PutObject"}, Resource: []string{logs},
		},
		document.Statement{
			Sid: "NetworkBalancers", Principal: document.Service("delivery.logs.amazonaws.com"),
			Action: []string{"s3:PutObject"}, Resource: []string{logs},
			Condition: document.Conditions{"StringEquals": {
				"aws:SourceAccount": {b.args.Account}, "s3:x-amz-acl": {"bucket-owner-full-control"},
			}},
		},
		document.Statement{
			Sid: "NetworkBalancersLook", Principal: document.Service("delivery.logs.amazonaws.com"),
			Action: []string{"s3:GetBucketAcl"}, Resource: []string{arn}, Condition: document.FromAccount(b.args.Account),
		},
	)
}
