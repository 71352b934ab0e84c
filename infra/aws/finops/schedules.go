// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// zone is where people work: the hour follows them in summer and winter.
const zone = "Europe/London"

// turns are the two sequences of an environment.
var turns = []struct {
	name, comment string
	at            func(*Schedule) string
	wait          int
	steps         func([]group, string) []step
}{
	{"sleep", "Puts the environment to sleep, part by part", func(s *Schedule) string { return s.Sleep }, graceSeconds, sleeping},
	{"wake", "Wakes the environment, part by part", func(s *Schedule) string { return s.Wake }, 0, waking},
}

// cron is the expression of a time of day on working days.
func cron(timeOfDay string) string {
	hour, minute, _ := strings.Cut(timeOfDay, ":")
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	return fmt.Sprintf("cron(%d %d ? * MON-FRI *)", m, h)
}

// schedules makes the sequences, and what starts them. On Friday evening an
// environment goes to sleep until Monday.
func (a *Args) schedules(ctx *pulumi.Context, under ...pulumi.ResourceOption) error {
	acts, err := a.actor(ctx, under...)
	if err != nil {
		return err
	}
	starts, err := a.starter(ctx, under...)
	if err != nil {
		return err
	}
	inputs, read := a.Schedule.inputs()
	for _, t := range turns {
		name := a.Names.Name(t.name)
		machine, err := sfn.NewStateMachine(ctx, name, &sfn.StateMachineArgs{
			Name: pulumi.String(name), RoleArn: acts.Arn,
			Definition: pulumi.All(inputs...).ApplyT(func(values []any) (string, error) {
				groups, database := read(values)
				return definition(t.comment, t.wait, t.steps(groups, database))
			}).(pulumi.StringOutput),
		}, under...)
		if err != nil {
			return err
		}
		_, err = scheduler.NewSchedule(ctx, name, &scheduler.ScheduleArgs{
			Name: pulumi.String(name), Description: pulumi.String(t.comment),
			ScheduleExpression: pulumi.String(cron(t.at(a.Schedule))), ScheduleExpressionTimezone: pulumi.String(zone),
			FlexibleTimeWindow: &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
			Target:             &scheduler.ScheduleTargetArgs{Arn: machine.Arn, RoleArn: starts.Arn},
		}, under...)
		if err != nil {
			return err
		}
	}
	return nil
}

// inputs are the names that only other resources know, and how to read them when they
// do: the cluster and the name of each group in turn, and the database.
func (s *Schedule) inputs() (values []any, read func([]any) ([]group, string)) {
	for _, g := range s.Services {
		values = append(values, g.Cluster, g.Name)
	}
	if s.Database != nil {
		values = append(values, s.Database)
	}
	return values, func(known []any) ([]group, string) {
		text := func(i int) string { v, _ := known[i].(string); return v }
		var groups []group
		for i, g := range s.Services {
			groups = append(groups, group{Cluster: text(2 * i), Name: text(2*i + 1), Min: g.Min, Max: g.Max, Desired: g.Desired})
		}
		if s.Database == nil {
			return groups, ""
		}
		return groups, text(len(known) - 1)
	}
}

// actor is the role of the sequences: the sizes of this environment's groups, and the
// state of its databases, by their names.
func (a *Args) actor(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*iam.Role, error) {
	own := a.Region + ":" + a.Account
	statements := []document.Statement{{
		Action:   []string{"eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"},
		Resource: []string{"arn:aws:eks:" + own + ":nodegroup/" + a.Names.Name() + "*/*/*"},
	}}
	if a.Schedule.Database != nil {
		statements = append(statements, document.Statement{
			Action:   []string{"rds:DescribeDBClusters", "rds:StartDBCluster", "rds:StopDBCluster"},
			Resource: []string{"arn:aws:rds:" + own + ":cluster:" + a.Names.Name() + "-*"},
		})
	}
	return a.role(ctx, "sleeper", "states.amazonaws.com", "Changes sizes of groups and stops and starts the database", statements, under...)
}

// starter is the role of the schedules: they start the two sequences and nothing else.
func (a *Args) starter(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*iam.Role, error) {
	var machines []string
	for _, t := range turns {
		machines = append(machines, "arn:aws:states:"+a.Region+":"+a.Account+":stateMachine:"+a.Names.Name(t.name))
	}
	return a.role(ctx, "waker", "scheduler.amazonaws.com", "Starts the sequences of sleep and wake",
		[]document.Statement{{Action: []string{"states:StartExecution"}, Resource: machines}}, under...)
}

func (a *Args) role(ctx *pulumi.Context, part, service, what string, statements []document.Statement, under ...pulumi.ResourceOption) (*iam.Role, error) {
	name := a.Names.Name(part)
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String(what), AssumeRolePolicy: pulumi.String(document.Trust(service, a.Account)),
	}, under...)
	if err != nil {
		return nil, err
	}
	_, err = iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Name: pulumi.String(part), Role: role.ID(), Policy: pulumi.String(document.JSON(statements...)),
	}, under...)
	return role, err
}
