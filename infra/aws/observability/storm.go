// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	stormName = "hosts-many"
	stormPage = "ManyHostsDown"
)

// storm is the alarm of two zones' machines at once: that is more often a network than
// several dead machines, and wants another page. It says whether it was made.
func (a *Args) storm(ctx *pulumi.Context, topic *Topic, alarms []alarm, made []*cloudwatch.MetricAlarm, under ...pulumi.ResourceOption) (bool, error) {
	var hosts []string
	var after []pulumi.Resource
	for i, m := range alarms {
		if m.host {
			hosts = append(hosts, fmt.Sprintf("ALARM(%q)", a.Names.Name(m.name)))
			after = append(after, made[i])
		}
	}
	var pairs []string
	for i := range hosts {
		for _, other := range hosts[i+1:] {
			pairs = append(pairs, "("+hosts[i]+" AND "+other+")")
		}
	}
	if len(pairs) == 0 {
		return false, nil
	}
	name := a.Names.Name(stormName)
	_, err := cloudwatch.NewCompositeAlarm(ctx, name, &cloudwatch.CompositeAlarmArgs{
		AlarmName: pulumi.String(name), AlarmDescription: pulumi.String(description(stormPage, "the machines of several zones fail at once")),
		AlarmRule: pulumi.String(strings.Join(pairs, " OR ")), AlarmActions: pulumi.StringArray{topic.ARN}, OkActions: pulumi.StringArray{topic.ARN},
	}, append(under, pulumi.DependsOn(after))...)
	return true, err
}

// Places of widgets on CloudWatch's grid of 24 columns.
const (
	columns      = 24
	widgetWidth  = 8
	widgetHeight = 6
)

type widget struct {
	Type       string         `json:"type"`
	X          int            `json:"x"`
	Y          int            `json:"y"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	Properties map[string]any `json:"properties"`
}

// dashboard shows each alarm's metric with its limit, in the order in which a request
// passes: edge, database, broker, machines.
func (a *Args) dashboard(ctx *pulumi.Context, alarms []alarm, made []*cloudwatch.MetricAlarm, under ...pulumi.ResourceOption) error {
	if len(made) == 0 {
		return nil
	}
	arns := make([]any, len(made))
	for i, m := range made {
		arns[i] = m.Arn
	}
	body := pulumi.All(arns...).ApplyT(func(arns []any) (string, error) {
		widgets := make([]widget, len(arns))
		for i, arn := range arns {
			widgets[i] = widget{
				Type: "metric", X: i * widgetWidth % columns, Y: i * widgetWidth / columns * widgetHeight, Width: widgetWidth, Height: widgetHeight,
				Properties: map[string]any{
					"title": alarms[i].title, "region": a.Region, "annotations": map[string]any{"alarms": []any{arn}},
				},
			}
		}
		text, err := json.Marshal(map[string]any{"widgets": widgets})
		return string(text), err
	}).(pulumi.StringOutput)
	_, err := cloudwatch.NewDashboard(ctx, a.Names.Name(), &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(a.Names.Name()), DashboardBody: body,
	}, under...)
	return err
}
