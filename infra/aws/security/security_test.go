// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", Region: "eu-west-2", Protect: true, LogDays: 2557,
		Key: pulumi.String("key-logs"), VolumesKey: pulumi.String("key-platform"), Alerts: pulumi.String("topic"),
		DataBuckets: []pulumi.StringInput{pulumi.String("arn:aws:s3:::documents")},
	}
}

func plan(t *testing.T, args *Args) awstest.Plan {
	t.Helper()
	got, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "security", args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPlan(t *testing.T) {
	golden.Assert(t, plan(t, arguments()).JSON(), "plan.golden.json")
}

func TestEvidenceIsLockedForGoodOnlyWhereItIsProtected(t *testing.T) {
	for protect, want := range map[bool]string{true: "COMPLIANCE", false: "GOVERNANCE"} {
		args := arguments()
		args.Protect = protect
		lock := plan(t, args).One(t, "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", "ers-test-evidence")
		retention := lock.Inputs["rule"].(map[string]any)["defaultRetention"].(map[string]any)
		if retention["mode"] != want || retention["days"] != 2557.0 {
			t.Errorf("protected %v: got %v, want %s", protect, retention, want)
		}
	}
}

func TestWritersActForThisAccountOnly(t *testing.T) {
	for _, s := range arguments().writers() {
		text, _ := json.Marshal(s.Condition)
		if !strings.Contains(string(text), "111111111111") {
			t.Errorf("%s holds for any customer of AWS's: %s", s.Sid, text)
		}
	}
}

func TestPatternsAreJSON(t *testing.T) {
	for name, pattern := range severe {
		if !json.Valid([]byte(pattern)) {
			t.Errorf("%s: %s", name, pattern)
		}
	}
}

func TestTrailWithoutBuckets(t *testing.T) {
	args := arguments()
	args.DataBuckets = nil
	selectors := plan(t, args).One(t, "aws:cloudtrail/trail:Trail", "ers-test-trail").Inputs["eventSelectors"].([]any)
	if _, ok := selectors[0].(map[string]any)["dataResources"]; ok {
		t.Errorf("got %v", selectors)
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{LogDays: 364}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := arguments().Validate(); err != nil {
		t.Error(err)
	}
}
