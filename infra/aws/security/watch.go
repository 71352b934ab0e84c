// SPDX-License-Identifier: Apache-2.0

package security

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/accessanalyzer"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/guardduty"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/securityhub"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// standards are what Security Hub holds the account against. AWS's own is left out:
// it repeats CIS, and what it adds the rules of infra/policy refuse beforehand.
var standards = map[string]string{"cis": "cis-aws-foundations-benchmark/v/3.0.0"}

// severe are the findings that somebody hears of at once: from 7 GuardDuty calls them
// high; all others wait for the working day in Security Hub.
var severe = map[string]string{
	"attack": `{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"severity":[{"numeric":[">=",7]}]}}`,
	"open-door": `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],` +
		`"detail":{"findings":{"Severity":{"Label":["CRITICAL"]},"Workflow":{"Status":["NEW"]},"RecordState":["ACTIVE"]}}}`,
}

// watch looks for attacks (GuardDuty), for open doors (Security Hub), and for what is
// shared with others (Access Analyzer, CIS AWS 1.20).
func (a *Args) watch(ctx *pulumi.Context, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("watch")
	detector, err := guardduty.NewDetector(ctx, name, &guardduty.DetectorArgs{
		Enable: pulumi.Bool(true), FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES"),
	}, under...)
	if err != nil {
		return err
	}
	// What holds or reaches patients' data: documents, the cluster, the database.
	for _, feature := range []string{"S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "RDS_LOGIN_EVENTS"} {
		_, err := guardduty.NewDetectorFeature(ctx, a.Names.Name("watch", feature), &guardduty.DetectorFeatureArgs{
			DetectorId: detector.ID(), Name: pulumi.String(feature), Status: pulumi.String("ENABLED"),
		}, under...)
		if err != nil {
			return err
		}
	}
	hub, err := securityhub.NewAccount(ctx, name, &securityhub.AccountArgs{
		EnableDefaultStandards: pulumi.Bool(false), AutoEnableControls: pulumi.Bool(true),
		ControlFindingGenerator: pulumi.String("SECURITY_CONTROL"),
	}, under...)
	if err != nil {
		return err
	}
	for _, short := range slices.Sorted(maps.Keys(standards)) {
		_, err := securityhub.NewStandardsSubscription(ctx, a.Names.Name("watch", short), &securityhub.StandardsSubscriptionArgs{
			StandardsArn: pulumi.String("arn:aws:securityhub:" + a.Region + "::standards/" + standards[short]),
		}, append(under, pulumi.DependsOn([]pulumi.Resource{hub}))...)
		if err != nil {
			return err
		}
	}
	if _, err := accessanalyzer.NewAnalyzer(ctx, name, &accessanalyzer.AnalyzerArgs{
		AnalyzerName: pulumi.String(name), Type: pulumi.String("ACCOUNT"),
	}, under...); err != nil {
		return err
	}
	for _, what := range slices.Sorted(maps.Keys(severe)) {
		rule, err := cloudwatch.NewEventRule(ctx, a.Names.Name(what), &cloudwatch.EventRuleArgs{
			Name: pulumi.String(a.Names.Name(what)), Description: pulumi.String("Severe findings go to the on-call responder"),
			EventPattern: pulumi.String(severe[what]),
		}, under...)
		if err != nil {
			return err
		}
		_, err = cloudwatch.NewEventTarget(ctx, a.Names.Name(what), &cloudwatch.EventTargetArgs{
			Rule: rule.Name, TargetId: pulumi.String("alerts"), Arn: a.Alerts,
		}, under...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Passwords of people who sign in to the account itself, which in an emergency only
// they can: CIS AWS 1.8 and 1.9.
const (
	passwordLength = 14
	passwordMemory = 24
)

// defaults are what holds for what nobody thought of.
func (a *Args) defaults(ctx *pulumi.Context, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("defaults")
	if _, err := ebs.NewEncryptionByDefault(ctx, name, &ebs.EncryptionByDefaultArgs{Enabled: pulumi.Bool(true)}, under...); err != nil {
		return err
	}
	if _, err := ebs.NewDefaultKmsKey(ctx, name, &ebs.DefaultKmsKeyArgs{KeyArn: a.VolumesKey}, under...); err != nil {
		return err
	}
	_, err := iam.NewAccountPasswordPolicy(ctx, name, &iam.AccountPasswordPolicyArgs{
		MinimumPasswordLength: pulumi.Int(passwordLength), PasswordReusePrevention: pulumi.Int(passwordMemory),
		RequireLowercaseCharacters: pulumi.Bool(true), RequireUppercaseCharacters: pulumi.Bool(true),
		RequireNumbers: pulumi.Bool(true), RequireSymbols: pulumi.Bool(true), AllowUsersToChangePassword: pulumi.Bool(true),
	}, under...)
	return err
}
