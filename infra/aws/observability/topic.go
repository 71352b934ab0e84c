// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/component"
)

// Topic is where alarms go. It comes before the rest, because what is watched
// (backups, findings, costs) tells it too.
type Topic struct {
	pulumi.ResourceState

	// ARN is the SNS topic's.
	ARN pulumi.StringOutput
}

// senders are the services that may publish on the account's behalf.
var senders = []string{
	"backup.amazonaws.com", "budgets.amazonaws.com", "cloudwatch.amazonaws.com", "costalerts.amazonaws.com", "events.amazonaws.com",
}

// topicARN is known before the topic is made.
func (a *Args) topicARN() string {
	return "arn:aws:sns:" + a.Region + ":" + a.Account + ":" + a.Names.Name("alerts")
}

// NewTopic makes the topic that alarms go to, with its subscribers. It looks at
// Names, Account, Region, Key and Emails of the arguments only.
func NewTopic(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Topic, error) {
	t := &Topic{}
	if err := component.Register(ctx, component.TypeAWSAlerts, name, args, t, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(t)}
	topic, err := sns.NewTopic(ctx, args.Names.Name("alerts"), &sns.TopicArgs{
		Name: pulumi.String(args.Names.Name("alerts")), DisplayName: pulumi.String(args.Names.Name() + " alerts"),
		KmsMasterKeyId: args.Key,
		Policy: pulumi.String(document.JSON(document.Statement{
			Sid: "Services", Principal: document.Service(senders...), Action: []string{"sns:Publish"},
			Resource: []string{args.topicARN()}, Condition: document.FromAccount(args.Account),
		})),
	}, under...)
	if err != nil {
		return nil, err
	}
	for _, address := range args.Emails {
		_, err := sns.NewTopicSubscription(ctx, args.Names.Name("alerts", label(address)), &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(address),
		}, under...)
		if err != nil {
			return nil, err
		}
	}
	t.ARN = topic.Arn
	return t, component.Done(ctx, t, pulumi.Map{"topic": topic.Arn})
}

// label makes a part of a name of an address.
func label(address string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(address))
}
