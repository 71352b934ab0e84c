// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// managed are AWS's rule sets in the order in which they are asked, the cheapest
// first; their capacity units together are 1,325 of the 1,500 that a list has without
// extra cost. The rules of a set that are listed only count.
var managed = []struct {
	name  string
	count []string
}{
	{"AWSManagedRulesAmazonIpReputationList", nil},
	{"AWSManagedRulesKnownBadInputsRuleSet", nil},
	// Attachments have up to 5 MB, and the set would refuse bodies over 8 kB.
	{"AWSManagedRulesCommonRuleSet", []string{"SizeRestrictions_BODY"}},
	{"AWSManagedRulesSQLiRuleSet", nil},
	{"AWSManagedRulesLinuxRuleSet", nil},
}

// firewall asks a list of rules about each request, before the service sees it.
func (b *builder) firewall(balancer *lb.LoadBalancer) error {
	name := b.name(booking)
	rules := wafv2.WebAclRuleArray{wafv2.WebAclRuleArgs{
		Name: pulumi.String("rate"), Priority: pulumi.Int(0),
		Action: wafv2.WebAclRuleActionArgs{Block: wafv2.WebAclRuleActionBlockArgs{}},
		Statement: wafv2.WebAclRuleStatementArgs{RateBasedStatement: wafv2.WebAclRuleStatementRateBasedStatementArgs{
			Limit: pulumi.Int(b.args.Booking.RequestsPerFiveMinutes), AggregateKeyType: pulumi.String("IP"),
		}},
		VisibilityConfig: wafv2.WebAclRuleVisibilityConfigArgs{
			CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(false), MetricName: pulumi.String("rate"),
		},
	}}
	for i, set := range managed {
		var count wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArray
		for _, rule := range set.count {
			count = append(count, wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs{
				Name: pulumi.String(rule),
				ActionToUse: wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs{
					Count: wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs{},
				},
			})
		}
		rules = append(rules, wafv2.WebAclRuleArgs{
			Name: pulumi.String(set.name), Priority: pulumi.Int(i + 1),
			OverrideAction: wafv2.WebAclRuleOverrideActionArgs{None: wafv2.WebAclRuleOverrideActionNoneArgs{}},
			Statement: wafv2.WebAclRuleStatementArgs{ManagedRuleGroupStatement: wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{
				VendorName: pulumi.String("AWS"), Name: pulumi.String(set.name), RuleActionOverrides: count,
			}},
			VisibilityConfig: wafv2.WebAclRuleVisibilityConfigArgs{
				CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(false), MetricName: pulumi.String(set.name),
			},
		})
	}
	list, err := wafv2.NewWebAcl(b.ctx, name, &wafv2.WebAclArgs{
		Name: pulumi.String(name), Description: pulumi.String("What may reach the booking service"), Scope: pulumi.String("REGIONAL"),
		DefaultAction: wafv2.WebAclDefaultActionArgs{Allow: wafv2.WebAclDefaultActionAllowArgs{}},
		Rules:         rules,
		// Samples of requests would hold what patients and staff typed, where no
		// retention and no key of ours applies.
		VisibilityConfig: wafv2.WebAclVisibilityConfigArgs{
			CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(false), MetricName: pulumi.String(name),
		},
		Tags: named(name),
	}, b.parent)
	if err != nil {
		return err
	}
	b.made.WebACLName = name
	_, err = wafv2.NewWebAclAssociation(b.ctx, name, &wafv2.WebAclAssociationArgs{ResourceArn: balancer.Arn, WebAclArn: list.Arn}, b.parent)
	if err != nil {
		return err
	}
	return b.firewallLog(name, list)
}

// firewallLog keeps what the firewall decided, without credentials and without what
// is searched for, which may be a patient's number.
func (b *builder) firewallLog(name string, list *wafv2.WebAcl) error {
	logs, err := cloudwatch.NewLogGroup(b.ctx, b.name("firewall"), &cloudwatch.LogGroupArgs{
		// The firewall writes to groups with names that begin so, and to no other.
		Name:            pulumi.String("aws-waf-logs-" + name),
		RetentionInDays: pulumi.Int(b.args.LogDays), KmsKeyId: b.args.LogKeyArn.ToStringOutput(),
	}, b.parent)
	if err != nil {
		return err
	}
	redacted := wafv2.WebAclLoggingConfigurationRedactedFieldArray{
		wafv2.WebAclLoggingConfigurationRedactedFieldArgs{QueryString: wafv2.WebAclLoggingConfigurationRedactedFieldQueryStringArgs{}},
	}
	for _, header := range []string{"authorization", "cookie"} {
		redacted = append(redacted, wafv2.WebAclLoggingConfigurationRedactedFieldArgs{
			SingleHeader: wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs{Name: pulumi.String(header)},
		})
	}
	_, err = wafv2.NewWebAclLoggingConfiguration(b.ctx, name, &wafv2.WebAclLoggingConfigurationArgs{
		ResourceArn: list.Arn, LogDestinationConfigs: pulumi.StringArray{logs.Arn}, RedactedFields: redacted,
	}, b.parent)
	return err
}
