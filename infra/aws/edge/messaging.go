// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/network"
)

// messaging passes TCP through: TLS ends in the gateway, which knows clients by their
// certificates.
func (b *builder) messaging() error {
	group, err := b.entrance(messaging, b.args.Messaging.TargetPort, publicPort)
	if err != nil {
		return err
	}
	balancer, err := b.balancer(messaging, &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("network"), SecurityGroups: pulumi.StringArray{group},
		Subnets: network.IDs(b.args.Network.Edge),
		// A zone without a healthy gateway answers through the others'.
		EnableCrossZoneLoadBalancing: pulumi.Bool(true),
	})
	if err != nil {
		return err
	}
	targets, err := b.targets(messaging, b.args.Messaging.TargetPort, &lb.TargetGroupArgs{
		Protocol: pulumi.String("TCP"),
		// The gateway sees the client's own address, and writes it into its log.
		PreserveClientIp: pulumi.String("true"),
		// Clients keep connections for hours: those to a machine that goes end with it,
		// and are opened anew elsewhere.
		ConnectionTermination: pulumi.Bool(true),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			Protocol: pulumi.String("TCP"), Interval: pulumi.Int(checkSeconds),
			HealthyThreshold: pulumi.Int(checks), UnhealthyThreshold: pulumi.Int(checks),
		},
	})
	if err != nil {
		return err
	}
	_, err = lb.NewListener(b.ctx, b.name(messaging), &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(publicPort), Protocol: pulumi.String("TCP"),
		DefaultActions: forward(targets), Tags: named(b.name(messaging)),
	}, b.parent)
	b.made.Messaging = b.target(balancer, targets)
	return err
}

// checkSeconds and checks: a machine that fails is out after 20 seconds.
const checkSeconds, checks = 10, 2
