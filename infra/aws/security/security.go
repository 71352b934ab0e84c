// SPDX-License-Identifier: Apache-2.0

package security

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/aws/storage"
	"spine.nhs.uk/controlplane/infra/component"
)

// Security is what New makes.
type Security struct {
	pulumi.ResourceState

	// EvidenceBucket is the name of the locked bucket; TrailARN is the trail's.
	EvidenceBucket, TrailARN pulumi.StringOutput
}

// New makes the account's evidence and watch.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Security, error) {
	s := &Security{}
	if err := component.Register(ctx, component.TypeAWSSecurity, name, args, s, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(s)}
	bucket, err := storage.NewBucket(ctx, args.storage(), args.evidence(), args.writers(), under...)
	if err != nil {
		return nil, err
	}
	trail, err := args.trail(ctx, bucket, under...)
	if err != nil {
		return nil, err
	}
	if err := args.configuration(ctx, bucket, under...); err != nil {
		return nil, err
	}
	if err := args.defaults(ctx, under...); err != nil {
		return nil, err
	}
	if err := args.watch(ctx, under...); err != nil {
		return nil, err
	}
	s.EvidenceBucket, s.TrailARN = bucket.Name, trail.Arn
	return s, component.Done(ctx, s, pulumi.Map{"evidenceBucket": bucket.Name, "trail": trail.Arn})
}

// storage is how the evidence is kept: as every bucket is.
func (a *Args) storage() *storage.Args {
	return &storage.Args{Names: a.Names, Account: a.Account, Protect: a.Protect, Key: a.Key}
}

// evidence is the bucket of the trail and of the history of configuration. In a live
// account nobody can delete from it before its time, not even root: an attacker's
// first act would be to try. Elsewhere the lock can be lifted, so that an account can
// be emptied.
func (a *Args) evidence() storage.Bucket {
	lock := storage.Governance
	if a.Protect {
		lock = storage.Compliance
	}
	return storage.Bucket{
		Name: "evidence", Lock: lock, LockDays: a.LogDays, OldVersionDays: a.LogDays,
		ExpireDays: a.LogDays + 1, Data: "evidence",
		// Nobody reads the trail unless something has happened.
		InfrequentDays: 90,
	}
}

// trailARN is known before the trail is made, so that the bucket can let it in.
func (a *Args) trailARN() string {
	return "arn:aws:cloudtrail:" + a.Region + ":" + a.Account + ":trail/" + a.Names.Name("trail")
}

// writers lets CloudTrail and Config write into the bucket, each for this account.
func (a *Args) writers() []document.Statement {
	arn := a.storage().FullARN(a.evidence())
	owned := map[string][]string{"aws:SourceArn": {a.trailARN()}}
	given := map[string][]string{"aws:SourceArn": {a.trailARN()}, "s3:x-amz-acl": {"bucket-owner-full-control"}}
	return []document.Statement{
		{
			Sid: "TrailLooks", Principal: document.Service("cloudtrail.amazonaws.com"), Action: []string{"s3:GetBucketAcl"},
			Resource: []string{arn}, Condition: document.Conditions{"StringEquals": owned},
		},
		{
			Sid: "TrailWrites", Principal: document.Service("cloudtrail.amazonaws.com"), Action: []string{"s3:PutObject"},
			Resource: []string{arn + "/AWSLogs/" + a.Account + "/*"}, Condition: document.Conditions{"StringEquals": given},
		},
		{
			Sid: "ConfigLooks", Principal: document.Service("config.amazonaws.com"), Action: []string{"s3:GetBucketAcl", "s3:ListBucket"},
			Resource: []string{arn}, Condition: document.FromAccount(a.Account),
		},
		{
			Sid: "ConfigWrites", Principal: document.Service("config.amazonaws.com"), Action: []string{"s3:PutObject"},
			Resource: []string{arn + "/AWSLogs/" + a.Account + "/Config/*"},
			Condition: document.Conditions{"StringEquals": {
				"aws:SourceAccount": {a.Account}, "s3:x-amz-acl": {"bucket-owner-full-control"}}},
		},
	}
}

// trail records who did what in the account, in all regions: acts in one that is not
// ours are what it is to find. (CIS AWS 3.1, 3.2, 3.5, 3.8, 3.9)
func (a *Args) trail(ctx *pulumi.Context, bucket storage.Stored, under ...pulumi.ResourceOption) (*cloudtrail.Trail, error) {
	events := &cloudtrail.TrailEventSelectorArgs{IncludeManagementEvents: pulumi.Bool(true), ReadWriteType: pulumi.String("All")}
	if len(a.DataBuckets) > 0 {
		objects := pulumi.StringArray{}
		for _, b := range a.DataBuckets {
			objects = append(objects, pulumi.Sprintf("%s/", b))
		}
		events.DataResources = cloudtrail.TrailEventSelectorDataResourceArray{
			&cloudtrail.TrailEventSelectorDataResourceArgs{Type: pulumi.String("AWS::S3::Object"), Values: objects},
		}
	}
	name := a.Names.Name("trail")
	return cloudtrail.NewTrail(ctx, name, &cloudtrail.TrailArgs{
		Name: pulumi.String(name), S3BucketName: bucket.Name, KmsKeyId: a.Key,
		IsMultiRegionTrail: pulumi.Bool(true), IncludeGlobalServiceEvents: pulumi.Bool(true),
		EnableLogFileValidation: pulumi.Bool(true), EnableLogging: pulumi.Bool(true),
		EventSelectors: cloudtrail.TrailEventSelectorArray{events},
	}, append(under, pulumi.Protect(a.Protect), pulumi.DependsOn([]pulumi.Resource{bucket.Ready}))...)
}
