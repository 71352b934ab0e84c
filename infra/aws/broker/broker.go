// SPDX-License-Identifier: Apache-2.0

package broker

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/mq"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/credentials"
	"spine.nhs.uk/controlplane/infra/component"
)

// Broker is what New makes.
type Broker struct {
	pulumi.ResourceState

	// Broker is how it is used.
	Broker component.Broker
	// ARN is the broker's; SecurityGroup is its own.
	ARN, SecurityGroup pulumi.StringOutput
}

// Administrator is the name of the broker's first user, and of its only one: Amazon MQ makes
// no other.
const Administrator = "spine-admin"

// Authorities is PEM text of those that may sign Amazon MQ's certificates: the roots of
// Amazon Trust Services (https://www.amazontrust.com/repository/), as Mozilla has them.
//
//go:embed authorities.pem
var Authorities string

// ports are AMQP and the management API, both over TLS: Amazon MQ has no others.
var ports = map[int]string{5671: "AMQP over TLS", 443: "Management API over TLS"}

// New makes the broker.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Broker, error) {
	b := &Broker{}
	if err := component.Register(ctx, component.TypeAWSBroker, name, args, b, opts...); err != nil {
		return nil, err
	}
	under := []pulumi.ResourceOption{pulumi.Parent(b)}
	group, err := args.securityGroup(ctx, under...)
	if err != nil {
		return nil, err
	}
	made, err := args.broker(ctx, group.ID(), under...)
	if err != nil {
		return nil, err
	}
	secret, err := credentials.New(ctx, args.Names.Name("broker", "admin"), &credentials.Args{
		Description: "Administrator of RabbitMQ", Key: args.SecretsKey, Username: Administrator, Password: args.Password,
	}, under...)
	if err != nil {
		return nil, err
	}
	b.ARN, b.SecurityGroup = made.Arn, group.ID().ToStringOutput()
	b.Broker = component.Broker{
		Name: args.Names.Name("broker"), Credentials: secret.Arn, Resource: made,
		Endpoint: first(made, func(i mq.BrokerInstance) string {
			if len(i.Endpoints) == 0 {
				return ""
			}
			return i.Endpoints[0]
		}),
		Console: first(made, func(i mq.BrokerInstance) string {
			if i.ConsoleUrl == nil {
				return ""
			}
			return *i.ConsoleUrl
		}),
	}
	return b, component.Done(ctx, b, pulumi.Map{
		"endpoint": b.Broker.Endpoint, "console": b.Broker.Console, "credentials": secret.Arn,
	})
}

func (a *Args) broker(ctx *pulumi.Context, group pulumi.StringInput, under ...pulumi.ResourceOption) (*mq.Broker, error) {
	name := a.Names.Name("broker")
	return mq.NewBroker(ctx, name, &mq.BrokerArgs{
		BrokerName:         pulumi.String(name),
		EngineType:         pulumi.String("RabbitMQ"),
		EngineVersion:      pulumi.String(a.Version),
		HostInstanceType:   pulumi.String(a.InstanceType),
		DeploymentMode:     pulumi.String("CLUSTER_MULTI_AZ"),
		SubnetIds:          a.Subnets,
		SecurityGroups:     pulumi.StringArray{group},
		PubliclyAccessible: pulumi.Bool(false),
		// Patches come one node after the other, in the window: after the evening poll of
		// appointments, and not in that of the database.
		AutoMinorVersionUpgrade: pulumi.Bool(true),
		MaintenanceWindowStartTime: &mq.BrokerMaintenanceWindowStartTimeArgs{
			DayOfWeek: pulumi.String("SUNDAY"), TimeOfDay: pulumi.String("04:00"), TimeZone: pulumi.String("UTC"),
		},
		// What RabbitMQ logs is about nodes, connections and queues, not messages. Amazon MQ
		// makes the log groups itself, under the broker's number, and keeps them for ever.
		Logs:  &mq.BrokerLogsArgs{General: pulumi.Bool(true)},
		Users: mq.BrokerUserArray{&mq.BrokerUserArgs{Username: pulumi.String(Administrator), Password: a.Password}},
		Tags:  pulumi.StringMap{"data-class": pulumi.String("patient")},
		// Encryption at rest is AES-256 with a key of AWS's: "encryptionOptions does not
		// apply to RabbitMQ brokers" (AWS::AmazonMQ::Broker).
	}, append(under, pulumi.Protect(a.Protect),
		// Amazon MQ cannot change users of RabbitMQ: a new password is set by the
		// management API, and then here and in the configuration.
		pulumi.IgnoreChanges([]string{"users"}))...)
}

// securityGroup lets the clients in. The nodes talk to each other inside Amazon MQ.
func (a *Args) securityGroup(ctx *pulumi.Context, under ...pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	name := a.Names.Name("broker")
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Name: pulumi.String(name), VpcId: a.VPC, Description: pulumi.String("The broker: its clients only"),
		Tags: pulumi.StringMap{"Name": pulumi.String(name)},
	}, under...)
	if err != nil {
		return nil, err
	}
	for i, client := range a.Clients {
		for _, port := range slices.Sorted(maps.Keys(ports)) {
			_, err := vpc.NewSecurityGroupIngressRule(ctx, a.Names.Name("broker", fmt.Sprint(port), "from", strconv.Itoa(i+1)), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: group.ID(), ReferencedSecurityGroupId: client, IpProtocol: pulumi.String("tcp"),
				FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String(ports[port]),
			}, under...)
			if err != nil {
				return nil, err
			}
		}
	}
	return group, nil
}

// first is a fact of the broker's first instance: a cluster has one endpoint for all
// its nodes.
func first(b *mq.Broker, part func(mq.BrokerInstance) string) pulumi.StringOutput {
	return b.Instances.ApplyT(func(list []mq.BrokerInstance) string {
		if len(list) == 0 {
			return ""
		}
		return part(list[0])
	}).(pulumi.StringOutput)
}
