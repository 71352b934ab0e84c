// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/naming"
)

func arguments() *Args {
	return &Args{
		Names: naming.New("ers-test"), Account: "111111111111", Protect: true, LockAfterDays: 14,
		Key: pulumi.String("key-backups"), Resources: []pulumi.StringInput{pulumi.String("arn:db"), pulumi.String("arn:table")},
		Tested: []string{"Aurora", "DynamoDB"}, Alerts: pulumi.String("topic"),
	}
}

func plan(t *testing.T, args *Args) awstest.Plan {
	t.Helper()
	got, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "away", &aws.ProviderArgs{Region: pulumi.String("eu-west-2")})
		if err != nil {
			return err
		}
		args.Away = Away{Account: "222222222222", Provider: provider}
		_, err = New(ctx, "backup", args)
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

func TestWhatIsKeptElsewhere(t *testing.T) {
	rules := plan(t, arguments()).One(t, "aws:backup/plan:Plan", "ers-test-backup").Inputs["rules"].([]any)
	want := map[any]float64{"daily": 35, "weekly": 90, "monthly": 2555}
	if len(rules) != len(want) {
		t.Fatalf("got %v", rules)
	}
	for _, r := range rules {
		rule := r.(map[string]any)
		days := want[rule["ruleName"]]
		away := rule["copyActions"].([]any)[0].(map[string]any)
		for where, kept := range map[string]any{"here": rule["lifecycle"], "away": away["lifecycle"]} {
			if got := kept.(map[string]any)["deleteAfter"]; got != days {
				t.Errorf("%s, %s: kept for %v days, want %v", rule["ruleName"], where, got, days)
			}
		}
		if away["destinationVaultArn"] == rule["targetVaultName"] {
			t.Errorf("%s: the copy goes where the backup is", rule["ruleName"])
		}
	}
}

func TestTheOtherAccountsVaultOnlyTakesCopies(t *testing.T) {
	policy := plan(t, arguments()).One(t, "aws:backup/vaultPolicy:VaultPolicy", "ers-test-backup-away").Inputs["policy"].(string)
	if strings.Count(policy, "backup:") != 1 || !strings.Contains(policy, "backup:CopyIntoBackupVault") || !strings.Contains(policy, "111111111111") {
		t.Errorf("got %s", policy)
	}
}

func TestLock(t *testing.T) {
	for _, days := range []int{0, 14} {
		args := arguments()
		args.LockAfterDays = days
		for _, lock := range plan(t, args).Of("aws:backup/vaultLockConfiguration:VaultLockConfiguration") {
			grace, final := lock.Inputs["changeableForDays"]
			if lock.Inputs["minRetentionDays"] != 35.0 || final != (days > 0) || final && grace != float64(days) {
				t.Errorf("%d days: %v", days, lock.Inputs)
			}
		}
	}
}

func TestNothingTested(t *testing.T) {
	args := arguments()
	args.Tested = nil
	if got := plan(t, args).Of("aws:backup/restoreTestingPlan:RestoreTestingPlan"); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestValidate(t *testing.T) {
	err := (&Args{Account: "111111111111", Away: Away{Account: "111111111111"}, LockAfterDays: 2, Tested: []string{"Tapes"}}).Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	golden.Assert(t, err.Error()+"\n", "wrong.golden")
}
