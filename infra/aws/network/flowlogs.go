// SPDX-License-Identifier: Apache-2.0

package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// flowLogInterval is over how many seconds flows are summed up: the shorter of the
// two that AWS offers, as an incident is told minute by minute.
const flowLogInterval = 60

// flowLogs record who talked to whom (CIS AWS 3.7), refused attempts as well. They
// go to CloudWatch, where on-call and GuardDuty's findings can be followed without
// another tool.
func (b *builder) flowLogs() error {
	name := b.name("flows")
	group := "/spine/" + b.args.Names.Name() + "/flows"
	logs, err := cloudwatch.NewLogGroup(b.ctx, name, &cloudwatch.LogGroupArgs{
		Name: pulumi.String(group), RetentionInDays: pulumi.Int(b.args.LogDays), KmsKeyId: b.args.LogKeyArn.ToStringOutput(),
	}, b.parent)
	if err != nil {
		return err
	}
	role, err := iam.NewRole(b.ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String("Writes the network's flow logs"),
		AssumeRolePolicy: pulumi.String(document.Trust("vpc-flow-logs.amazonaws.com", b.args.Account)),
	}, b.parent)
	if err != nil {
		return err
	}
	groups := "arn:aws:logs:" + Region + ":" + b.args.Account + ":log-group:"
	_, err = iam.NewRolePolicy(b.ctx, name, &iam.RolePolicyArgs{
		Name: pulumi.String("flows"), Role: role.Name,
		Policy: pulumi.String(document.JSON(document.Statement{
			Action:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resource: []string{groups + group + ":*"},
		}, document.Statement{
			// The service looks for its group in the list of all.
			Action: []string{"logs:DescribeLogGroups"}, Resource: []string{groups + "*"},
		})),
	}, b.parent)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(b.ctx, name, &ec2.FlowLogArgs{
		VpcId: b.network.VpcID, TrafficType: pulumi.String("ALL"), MaxAggregationInterval: pulumi.Int(flowLogInterval),
		LogDestinationType: pulumi.String("cloud-watch-logs"), LogDestination: logs.Arn, IamRoleArn: role.Arn, Tags: named(name),
	}, b.parent)
	return err
}
