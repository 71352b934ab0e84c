// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", Protect: true, Key: pulumi.String("key-patient"),
		Buckets: []Bucket{
			{Name: "documents", Lock: Compliance, LockDays: 35, InfrequentDays: 90, OldVersionDays: 90, Data: "patient"},
			{Name: "dumps", Lock: Governance, LockDays: 35, ExpireDays: 90, OldVersionDays: 35, Data: "patient"},
		},
	}
}

func TestPlan(t *testing.T) {
	got, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		s, err := New(ctx, "storage", arguments())
		if err == nil && (len(s.Buckets) != 2 || s.Buckets["dumps"].Ready == nil) {
			t.Errorf("got %+v", s.Buckets)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, got.JSON(), "plan.golden.json")
	for _, kind := range []string{
		"aws:s3/bucketV2:BucketV2", "aws:s3/bucketVersioningV2:BucketVersioningV2", "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "aws:s3/bucketPolicy:BucketPolicy",
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
	} {
		if n := len(got.Of(kind)); n != 2 {
			t.Errorf("%d %s for 2 buckets", n, kind)
		}
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{Account: "x", Buckets: []Bucket{
		{Name: "a", Lock: "SOFT"},
		{Name: "dumps", Lock: Governance, LockDays: 35, InfrequentDays: 7, OldVersionDays: 7, ExpireDays: 30, Data: "patient"},
		{Name: "dumps", Lock: Governance, LockDays: 1, OldVersionDays: 1, Data: "patient"},
	}}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
