// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
)

// The ways in, parts of the names of all that belongs to them.
const (
	messaging = "messaging"
	booking   = "booking"
)

// Target is a balancer that a name of Route 53 can stand for.
type Target struct {
	// DNSName and ZoneID are the balancer's own.
	DNSName, ZoneID pulumi.StringOutput
	// ARNSuffix is its dimension in CloudWatch.
	ARNSuffix pulumi.StringOutput
	// TargetGroupSuffix is that of the machines behind it.
	TargetGroupSuffix pulumi.StringOutput
}

// Edge is where traffic enters.
type Edge struct {
	pulumi.ResourceState

	// Messaging and Booking are the ways in; nil for those not asked for.
	Messaging, Booking *Target
	// WebACLName is the firewall's, for its metrics; empty without Booking.
	WebACLName string
}

// builder makes the parts of an edge.
type builder struct {
	ctx    *pulumi.Context
	args   *Args
	made   *Edge
	parent pulumi.ResourceOption
	// bucket holds logs and the authorities of clients; ready are what a balancer
	// waits for before it can log.
	bucket *s3.BucketV2
	ready  []pulumi.Resource
}

// New makes the edge.
//
// There is no CloudFront before it: what e-RS's pages show is personal and never
// cached, and it would decrypt requests, keep its certificate and its firewall, and
// write its logs outside of the United Kingdom, for which an approval is needed.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Edge, error) {
	e := &Edge{}
	if err := component.Register(ctx, component.TypeAWSEdge, name, args, e, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, args: args, made: e, parent: pulumi.Parent(e)}
	if err := b.logs(); err != nil {
		return nil, err
	}
	outputs := pulumi.Map{}
	if args.Messaging != nil {
		if err := b.messaging(); err != nil {
			return nil, err
		}
		outputs[messaging] = e.Messaging.DNSName
	}
	if args.Booking != nil {
		if err := b.booking(); err != nil {
			return nil, err
		}
		outputs[booking] = e.Booking.DNSName
	}
	return e, component.Done(ctx, e, outputs)
}

func (b *builder) name(parts ...string) string { return b.args.Names.Name(parts...) }

func named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }

// balancer makes a balancer from what its kind says, and completes it by what all of
// them have.
func (b *builder) balancer(way string, kind *lb.LoadBalancerArgs) (*lb.LoadBalancer, error) {
	name := b.name(way)
	kind.Name = pulumi.String(name)
	kind.Internal = pulumi.Bool(b.args.Internal)
	kind.EnableDeletionProtection = pulumi.Bool(!b.args.Deletable)
	kind.AccessLogs = lb.LoadBalancerAccessLogsArgs{
		Enabled: pulumi.Bool(true), Bucket: b.bucket.Bucket, Prefix: pulumi.String(logPrefix + "/" + way),
	}
	kind.Tags = named(name)
	made, err := lb.NewLoadBalancer(b.ctx, name, kind, b.parent, pulumi.DependsOn(b.ready))
	if err != nil || !b.args.Shield {
		return made, err
	}
	_, err = shield.NewProtection(b.ctx, name, &shield.ProtectionArgs{Name: pulumi.String(name), ResourceArn: made.Arn}, b.parent)
	return made, err
}

// targets makes the group of machines behind a way in, from what its kind says.
func (b *builder) targets(way string, port int, kind *lb.TargetGroupArgs) (*lb.TargetGroup, error) {
	name := b.name(way)
	kind.Name = pulumi.String(name)
	kind.Port = pulumi.Int(port)
	kind.VpcId = b.args.Network.VpcID
	kind.TargetType = pulumi.String("instance")
	kind.DeregistrationDelay = pulumi.Int(drainSeconds)
	kind.Tags = named(name)
	group, err := lb.NewTargetGroup(b.ctx, name, kind, b.parent)
	if err != nil {
		return nil, err
	}
	// The autoscaling groups register their machines themselves, in every zone:
	// nothing in the cluster needs rights to the edge.
	for _, key := range slices.Sorted(maps.Keys(b.args.Groups)) {
		_, err := autoscaling.NewAttachment(b.ctx, b.name(way, key), &autoscaling.AttachmentArgs{
			AutoscalingGroupName: b.args.Groups[key], LbTargetGroupArn: group.Arn,
		}, b.parent)
		if err != nil {
			return nil, err
		}
	}
	return group, nil
}

// drainSeconds is how long a machine that goes may finish: the longest request is a
// booking's, of 120 seconds (domain.md, rule 8), and a little to spare.
const drainSeconds = 130

func (b *builder) target(balancer *lb.LoadBalancer, group *lb.TargetGroup) *Target {
	return &Target{
		DNSName: balancer.DnsName, ZoneID: balancer.ZoneId,
		ARNSuffix: balancer.ArnSuffix, TargetGroupSuffix: group.ArnSuffix,
	}
}

// forward sends everything to a group.
func forward(group *lb.TargetGroup) lb.ListenerDefaultActionArray {
	return lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: group.Arn}}
}
