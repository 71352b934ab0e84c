// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// Observability is what New makes.
type Observability struct {
	pulumi.ResourceState

	// Alarms are the alarms' names, each with the page that its description names.
	Alarms map[string]string
	// Groups are the ARNs of the log groups, by name below the environment's.
	Groups map[string]pulumi.StringOutput
}

// New makes alarms, dashboard and log groups; alarms go to the topic.
func New(ctx *pulumi.Context, name string, topic *Topic, args *Args, opts ...pulumi.ResourceOption) (*Observability, error) {
	o := &Observability{Alarms: map[string]string{}, Groups: map[string]pulumi.StringOutput{}}
	if err := component.Register(ctx, component.TypeAWSObservability, name, args, o, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(o)}
	for _, g := range args.Groups {
		group, err := cloudwatch.NewLogGroup(ctx, args.Names.Name("logs", strings.ReplaceAll(g.Name, "/", "-")), &cloudwatch.LogGroupArgs{
			Name: pulumi.String("/" + args.Names.Name() + "/" + g.Name), KmsKeyId: args.Key, RetentionInDays: pulumi.Int(g.Days),
		}, under...)
		if err != nil {
			return nil, err
		}
		o.Groups[g.Name] = group.Arn
	}
	alarms := args.alarms()
	var made []*cloudwatch.MetricAlarm
	for _, a := range alarms {
		alarm, err := args.alarm(ctx, topic, a, under...)
		if err != nil {
			return nil, err
		}
		made = append(made, alarm)
		o.Alarms[args.Names.Name(a.name)] = a.page
	}
	storm, err := args.storm(ctx, topic, alarms, made, under...)
	if err != nil {
		return nil, err
	}
	if storm {
		o.Alarms[args.Names.Name(stormName)] = stormPage
	}
	if err := args.dashboard(ctx, alarms, made, under...); err != nil {
		return nil, err
	}
	return o, component.Done(ctx, o, pulumi.Map{"alarms": pulumi.ToStringMap(o.Alarms)})
}
