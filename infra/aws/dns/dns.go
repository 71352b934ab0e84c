// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// region is where the alarms are that health checks follow.
const region = "eu-west-2"

// DNS is an environment's names.
type DNS struct {
	pulumi.ResourceState

	// HealthChecks are the IDs of the health checks, by probe.
	HealthChecks map[string]pulumi.StringOutput
}

// New makes the probes' alarms and health checks, and the records.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*DNS, error) {
	d := &DNS{HealthChecks: map[string]pulumi.StringOutput{}}
	if err := component.Register(ctx, component.TypeAWSDNS, name, args, d, opts...); err != nil {
		return nil, err
	}
	outputs := pulumi.Map{}
	for _, p := range args.Probes {
		check, err := args.probe(ctx, p, pulumi.Parent(d))
		if err != nil {
			return nil, err
		}
		d.HealthChecks[p.Name] = check.ID().ToStringOutput()
		outputs[p.Name] = check.ID()
	}
	for _, r := range args.Records {
		if err := args.record(ctx, r, d); err != nil {
			return nil, err
		}
	}
	return d, component.Done(ctx, d, pulumi.Map{"healthChecks": outputs})
}

// period is the seconds between two results of a probe.
const period = 60

// probe makes the alarm of a deep probe, and the health check that follows it.
func (a *Args) probe(ctx *pulumi.Context, p Probe, parent pulumi.ResourceOption) (*route53.HealthCheck, error) {
	name := a.Names.Name("probe", p.Name)
	alarm := &cloudwatch.MetricAlarmArgs{
		Name:             pulumi.String(name),
		AlarmDescription: pulumi.String("The deep probe of " + p.Name + " fails: the service does not do what clients need of it. Page: " + p.RunbookURL),
		Namespace:        pulumi.String(p.Namespace), MetricName: pulumi.String(p.Metric), Dimensions: pulumi.ToStringMap(p.Dimensions),
		Statistic: pulumi.String("Minimum"), Period: pulumi.Int(period), Threshold: pulumi.Float64(1),
		ComparisonOperator: pulumi.String("LessThanThreshold"),
		EvaluationPeriods:  pulumi.Int(p.Failures), DatapointsToAlarm: pulumi.Int(p.Failures),
		// Nothing heard is nothing known: the alarm says so, and the health check below
		// keeps what it last knew.
		TreatMissingData: pulumi.String("missing"),
	}
	if p.AlarmTopicArn != nil {
		told := pulumi.Array{p.AlarmTopicArn}
		// A probe that is not heard of is an incident too.
		alarm.AlarmActions, alarm.OkActions, alarm.InsufficientDataActions = told, told, told
	}
	made, err := cloudwatch.NewMetricAlarm(ctx, name, alarm, parent)
	if err != nil {
		return nil, err
	}
	return route53.NewHealthCheck(ctx, name, &route53.HealthCheckArgs{
		Type: pulumi.String("CLOUDWATCH_METRIC"), CloudwatchAlarmName: made.Name, CloudwatchAlarmRegion: pulumi.String(region),
		// Unknown means: do nothing. Traffic moves when the probe fails, and not when
		// nobody can say whether it does.
		InsufficientDataHealthStatus: pulumi.String("LastKnownStatus"),
		Tags:                         pulumi.StringMap{"Name": pulumi.String(name)},
	}, parent)
}

// record makes one name's way to one target. An alias has the life time of the
// balancer's own name, 60 seconds: well below the 900 that clients may keep a route.
func (a *Args) record(ctx *pulumi.Context, r Record, d *DNS) error {
	parts := []string{"name", r.Name}
	if r.Name == "" {
		parts = parts[:1]
	}
	if r.Set != "" {
		parts = append(parts, r.Set)
	}
	record := &route53.RecordArgs{
		ZoneId: a.ZoneID, Name: pulumi.String(r.Name), Type: pulumi.String("A"),
		Aliases: route53.RecordAliasArray{route53.RecordAliasArgs{
			Name: r.DNSName, ZoneId: r.ZoneID, EvaluateTargetHealth: pulumi.Bool(true),
		}},
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(d)}
	switch r.Routing {
	case Weighted:
		record.SetIdentifier = pulumi.String(r.Set)
		record.WeightedRoutingPolicies = route53.RecordWeightedRoutingPolicyArray{route53.RecordWeightedRoutingPolicyArgs{Weight: pulumi.Int(r.Weight)}}
		opts = append(opts, pulumi.IgnoreChanges([]string{"weightedRoutingPolicies"}))
	case Failover:
		role := "SECONDARY"
		if r.Primary {
			role = "PRIMARY"
		}
		record.SetIdentifier = pulumi.String(r.Set)
		record.FailoverRoutingPolicies = route53.RecordFailoverRoutingPolicyArray{route53.RecordFailoverRoutingPolicyArgs{Type: pulumi.String(role)}}
	}
	if r.Probe != "" {
		record.HealthCheckId = d.HealthChecks[r.Probe]
	}
	_, err := route53.NewRecord(ctx, a.Names.Name(parts...), record, opts...)
	return err
}
