// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/component"
)

// Backup is what New makes.
type Backup struct {
	pulumi.ResourceState

	// Vault is the ARN of the vault in the environment's account, AwayVault that
	// of the one in the other account.
	Vault, AwayVault pulumi.StringOutput
}

// copies are the backups that are made, and how long each is kept, here and away: with
// what is backed up, three copies on two media, one of them out of reach. (domain:
// "daily 35 d, weekly 90 d, monthly 2,555 d; recovery point at most 1 day old")
var copies = []struct {
	name, schedule string
	days           int
}{
	// After the evening poll of appointments; each on its own hour, as they share the
	// vault's quota of running jobs.
	{"daily", "cron(0 1 * * ? *)", 35},
	{"weekly", "cron(0 3 ? * SUN *)", 90},
	{"monthly", "cron(0 4 1 * ? *)", 2555},
}

const (
	// startMinutes is how late a job may begin, endMinutes when it is given up: both
	// end before the working day.
	startMinutes = 60
	endMinutes   = 240
)

// New makes the vaults and the plan.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Backup, error) {
	b := &Backup{}
	if err := component.Register(ctx, component.TypeAWSBackup, name, args, b, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(b)}
	here, err := args.vault(ctx, args.Names.Name("backup"), args.Key, under...)
	if err != nil {
		return nil, err
	}
	away, err := args.away(ctx, append(under, pulumi.Provider(args.Away.Provider))...)
	if err != nil {
		return nil, err
	}
	if err := args.notify(ctx, here, under...); err != nil {
		return nil, err
	}
	role, err := args.role(ctx, under...)
	if err != nil {
		return nil, err
	}
	if err := args.plan(ctx, here, away, role, under...); err != nil {
		return nil, err
	}
	if err := args.restores(ctx, here, role, under...); err != nil {
		return nil, err
	}
	b.Vault, b.AwayVault = here.Arn, away.Arn
	return b, component.Done(ctx, b, pulumi.Map{"vault": here.Arn, "awayVault": away.Arn})
}

// managed are AWS's own policies for the service's role: they name what a backup and a
// restore of each kind of resource need, and follow when AWS adds to it.
var managed = map[string]string{
	"backup":     "service-role/AWSBackupServiceRolePolicyForBackup",
	"restore":    "service-role/AWSBackupServiceRolePolicyForRestores",
	"s3-backup":  "AWSBackupServiceRolePolicyForS3Backup",
	"s3-restore": "AWSBackupServiceRolePolicyForS3Restore",
}

// role is what AWS Backup reads, copies and restores with.
func (a *Args) role(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*iam.Role, error) {
	name := a.Names.Name("backup")
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String("AWS Backup backs up and restores"),
		AssumeRolePolicy: pulumi.String(document.Trust("backup.amazonaws.com", a.Account)),
	}, under...)
	if err != nil {
		return nil, err
	}
	for _, what := range slices.Sorted(maps.Keys(managed)) {
		_, err := iam.NewRolePolicyAttachment(ctx, a.Names.Name("backup", what), &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/" + managed[what]),
		}, under...)
		if err != nil {
			return nil, err
		}
	}
	return role, nil
}

// plan says when, how long, and of what.
func (a *Args) plan(ctx *pulumi.Context, here, away *backup.Vault, role *iam.Role, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("backup")
	var rules backup.PlanRuleArray
	for _, c := range copies {
		rules = append(rules, &backup.PlanRuleArgs{
			RuleName: pulumi.String(c.name), TargetVaultName: here.Name, Schedule: pulumi.String(c.schedule),
			StartWindow: pulumi.Int(startMinutes), CompletionWindow: pulumi.Int(endMinutes),
			Lifecycle: &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(c.days)},
			CopyActions: backup.PlanRuleCopyActionArray{&backup.PlanRuleCopyActionArgs{
				DestinationVaultArn: away.Arn, Lifecycle: &backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(c.days)},
			}},
		})
	}
	plan, err := backup.NewPlan(ctx, name, &backup.PlanArgs{Name: pulumi.String(name), Rules: rules}, under...)
	if err != nil {
		return err
	}
	// By ARN and not by tag: what is missing here shows in a diff, and a tag that
	// somebody forgot does not.
	_, err = backup.NewSelection(ctx, name, &backup.SelectionArgs{
		Name: pulumi.String(name), PlanId: plan.ID(), IamRoleArn: role.Arn, Resources: pulumi.StringArray(a.Resources),
	}, under...)
	return err
}

const (
	// testWindowDays is how old a recovery point may be to be tested: the week's.
	testWindowDays = 7
	// testKeptHours is how long what was restored stays to be looked at; it costs.
	testKeptHours = 4
)

// restores brings the latest recovery point of each kind back every week, into
// something new that is deleted again: a backup that was never restored is a hope.
func (a *Args) restores(ctx *pulumi.Context, here *backup.Vault, role *iam.Role, under ...pulumi.ResourceOption) error {
	if len(a.Tested) == 0 {
		return nil
	}
	// Names of these plans take no "-".
	name := strings.ReplaceAll(a.Names.Name("restores"), "-", "_")
	plan, err := backup.NewRestoreTestingPlan(ctx, a.Names.Name("restores"), &backup.RestoreTestingPlanArgs{
		Name: pulumi.String(name), ScheduleExpression: pulumi.String("cron(0 9 ? * MON *)"),
		RecoveryPointSelection: &backup.RestoreTestingPlanRecoveryPointSelectionArgs{
			Algorithm: pulumi.String("LATEST_WITHIN_WINDOW"), IncludeVaults: pulumi.StringArray{here.Arn},
			RecoveryPointTypes: pulumi.ToStringArray([]string{"SNAPSHOT", "CONTINUOUS"}), SelectionWindowDays: pulumi.Int(testWindowDays),
		},
	}, under...)
	if err != nil {
		return err
	}
	for _, kind := range a.Tested {
		_, err := backup.NewRestoreTestingSelection(ctx, a.Names.Name("restores", strings.ToLower(kind)), &backup.RestoreTestingSelectionArgs{
			Name: pulumi.String(strings.ToLower(kind)), RestoreTestingPlanName: plan.Name, IamRoleArn: role.Arn,
			ProtectedResourceType: pulumi.String(kind), ProtectedResourceArns: pulumi.ToStringArray([]string{"*"}),
			ValidationWindowHours: pulumi.Int(testKeptHours),
		}, under...)
		if err != nil {
			return err
		}
	}
	return nil
}
