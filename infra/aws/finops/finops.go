// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/costexplorer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// FinOps is what New makes.
type FinOps struct {
	pulumi.ResourceState
}

// New makes budgets, alerts and schedules.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*FinOps, error) {
	f := &FinOps{}
	if err := component.Register(ctx, component.TypeAWSFinOps, name, args, f, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(f)}
	if err := args.budget(ctx, "", args.MonthlyUSD, under...); err != nil {
		return nil, err
	}
	for _, service := range sorted(args.ServiceUSD) {
		if err := args.budget(ctx, service, args.ServiceUSD[service], under...); err != nil {
			return nil, err
		}
	}
	if args.AnomalyUSD > 0 {
		if err := args.anomalies(ctx, under...); err != nil {
			return nil, err
		}
	}
	if args.Schedule != nil {
		if err := args.schedules(ctx, under...); err != nil {
			return nil, err
		}
	}
	return f, component.Done(ctx, f, pulumi.Map{"monthlyUSD": pulumi.Int(args.MonthlyUSD)})
}

// notices are when somebody hears of a budget: early enough to ask why, when it is
// spent, and as soon as AWS foresees that it will be.
var notices = []struct {
	kind    string
	percent float64
}{{"ACTUAL", 80}, {"ACTUAL", 100}, {"FORECASTED", 100}}

// budget watches the account, or one service in it. (NCSC 14; rule budget-watched)
func (a *Args) budget(ctx *pulumi.Context, service string, usd int, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("budget")
	filters := budgets.BudgetCostFilterArray{}
	if service != "" {
		name = a.Names.Name("budget", service)
		filters = append(filters, &budgets.BudgetCostFilterArgs{
			Name: pulumi.String("Service"), Values: pulumi.ToStringArray([]string{Services[service]}),
		})
	}
	var told budgets.BudgetNotificationArray
	for _, n := range notices {
		told = append(told, &budgets.BudgetNotificationArgs{
			ComparisonOperator: pulumi.String("GREATER_THAN"), ThresholdType: pulumi.String("PERCENTAGE"),
			NotificationType: pulumi.String(n.kind), Threshold: pulumi.Float64(n.percent),
			SubscriberEmailAddresses: pulumi.ToStringArray(a.Emails), SubscriberSnsTopicArns: pulumi.StringArray{a.Alerts},
		})
	}
	_, err := budgets.NewBudget(ctx, name, &budgets.BudgetArgs{
		Name: pulumi.String(name), BudgetType: pulumi.String("COST"), TimeUnit: pulumi.String("MONTHLY"),
		// With the cents that AWS answers with: otherwise each refresh finds a change.
		LimitAmount: pulumi.String(fmt.Sprintf("%d.0", usd)), LimitUnit: pulumi.String("USD"),
		CostFilters: filters, Notifications: told,
	}, under...)
	return err
}

// anomalies alerts of what is unusual for a service, long before a budget is spent.
func (a *Args) anomalies(ctx *pulumi.Context, under ...pulumi.ResourceOption) error {
	name := a.Names.Name("anomalies")
	monitor, err := costexplorer.NewAnomalyMonitor(ctx, name, &costexplorer.AnomalyMonitorArgs{
		Name: pulumi.String(name), MonitorType: pulumi.String("DIMENSIONAL"), MonitorDimension: pulumi.String("SERVICE"),
	}, under...)
	if err != nil {
		return err
	}
	_, err = costexplorer.NewAnomalySubscription(ctx, name, &costexplorer.AnomalySubscriptionArgs{
		// Topics are only told at once, and one at a time.
		Name: pulumi.String(name), Frequency: pulumi.String("IMMEDIATE"), MonitorArnLists: pulumi.StringArray{monitor.Arn},
		Subscribers: costexplorer.AnomalySubscriptionSubscriberArray{
			&costexplorer.AnomalySubscriptionSubscriberArgs{Type: pulumi.String("SNS"), Address: a.Alerts},
		},
		ThresholdExpression: &costexplorer.AnomalySubscriptionThresholdExpressionArgs{
			Dimension: &costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs{
				Key: pulumi.String("ANOMALY_TOTAL_IMPACT_ABSOLUTE"), MatchOptions: pulumi.ToStringArray([]string{"GREATER_THAN_OR_EQUAL"}),
				Values: pulumi.ToStringArray([]string{strconv.Itoa(a.AnomalyUSD)}),
			},
		},
	}, under...)
	return err
}
