// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", BackupAccount: "222222222222", Region: "eu-west-2",
		Protect: true, Witness: true,
		Certificate: &Certificate{Domains: []string{"ers.example.nhs.uk", "*.ers.example.nhs.uk", "mesh.example.nhs.uk"}, ZoneID: pulumi.String("Z1")},
	}
}

func proof(domain string) resource.PropertyValue {
	return resource.NewObjectProperty(resource.PropertyMap{
		"domainName": resource.NewStringProperty(domain), "resourceRecordName": resource.NewStringProperty("_proof." + domain),
		"resourceRecordType": resource.NewStringProperty("CNAME"), "resourceRecordValue": resource.NewStringProperty("value of " + domain),
	})
}

func plan(t *testing.T, args *Args) awstest.Plan {
	t.Helper()
	got, err := awstest.Run(t, map[string]resource.PropertyMap{
		"aws:acm/certificate:Certificate": {"domainValidationOptions": resource.NewArrayProperty([]resource.PropertyValue{
			// AWS gives them in any order.
			proof("mesh.example.nhs.uk"), proof("ers.example.nhs.uk"), proof("*.ers.example.nhs.uk"),
		})},
	}, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "keys", args)
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

func TestEachKeyIsProtectedRotatedAndKept(t *testing.T) {
	keys := plan(t, arguments()).Of("aws:kms/key:Key")
	if len(keys) != len(classes) {
		t.Fatalf("%d keys for %d classes", len(keys), len(classes))
	}
	for _, k := range keys {
		if !k.Protect || k.Inputs["enableKeyRotation"] != true || k.Inputs["deletionWindowInDays"] != 30.0 {
			t.Errorf("key %s: %+v", k.Name, k)
		}
		if strings.Contains(k.Inputs["policy"].(string), `kms:*`) {
			t.Errorf("key %s: its policy gives every action", k.Name)
		}
	}
}

func TestNoCopiesWithoutBackupAccount(t *testing.T) {
	args := arguments()
	args.BackupAccount = ""
	for _, k := range plan(t, args).Of("aws:kms/key:Key") {
		if strings.Contains(k.Inputs["policy"].(string), "Copies") {
			t.Errorf("key %s lets an account in that is not named", k.Name)
		}
	}
}

func TestDeletable(t *testing.T) {
	args := arguments()
	args.Deletable = true
	if got := plan(t, args).One(t, "aws:dynamodb/table:Table", "ers-test-witness").Inputs["deletionProtectionEnabled"]; got != false {
		t.Errorf("deletion protection is %v", got)
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{
		Account: "1", BackupAccount: "2", Certificate: &Certificate{Domains: []string{"Upper.example", "dot.example.", "single"}},
	}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
	if err := (&Args{Names: naming.New("e"), Account: "111111111111", Region: "eu-west-2"}).Validate(); err != nil {
		t.Error(err)
	}
}
