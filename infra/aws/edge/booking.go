// SPDX-License-Identifier: Apache-2.0

package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/network"
)

const (
	// publicPort is where browsers and messages come in.
	publicPort = 443
	// systemsPort is where systems come in, with a certificate.
	systemsPort = 8443
	// tlsPolicy allows TLS 1.3, and of 1.2 only suites with forward secrecy.
	tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
	// idleSeconds lets a booking wait for its provider, for 120 seconds at most.
	idleSeconds = 130
	// hsts has browsers never try without TLS, for a year: there is no port 80.
	hsts = "max-age=31536000; includeSubDomains"
)

// booking ends TLS, asks the firewall, and goes on by TLS to the service. There is no
// listener for plain HTTP, which a first visitor could be caught at.
func (b *builder) booking() error {
	args := b.args.Booking
	ports := []int{publicPort}
	if args.ClientCA != "" {
		ports = append(ports, systemsPort)
	}
	group, err := b.entrance(booking, args.TargetPort, ports...)
	if err != nil {
		return err
	}
	balancer, err := b.balancer(booking, &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("application"), SecurityGroups: pulumi.StringArray{group},
		Subnets:                 network.IDs(b.args.Network.Edge),
		IdleTimeout:             pulumi.Int(idleSeconds),
		DropInvalidHeaderFields: pulumi.Bool(true),
		// Requests that two programs could read in two ways are refused.
		DesyncMitigationMode: pulumi.String("strictest"),
		// When the firewall cannot be asked, nobody comes in unchecked.
		EnableWafFailOpen:  pulumi.Bool(false),
		PreserveHostHeader: pulumi.Bool(true),
		// Who came in with which certificate, and who was refused.
		ConnectionLogs: lb.LoadBalancerConnectionLogsArgs{
			Enabled: pulumi.Bool(true), Bucket: b.bucket.Bucket, Prefix: pulumi.String(logPrefix + "/connections"),
		},
	})
	if err != nil {
		return err
	}
	targets, err := b.targets(booking, args.TargetPort, &lb.TargetGroupArgs{
		Protocol: pulumi.String("HTTPS"),
		// Requests differ in length: whoever has fewest open gets the next.
		LoadBalancingAlgorithmType: pulumi.String("least_outstanding_requests"),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			Protocol: pulumi.String("HTTPS"), Path: pulumi.String(args.HealthPath), Matcher: pulumi.String("200"),
			Interval: pulumi.Int(checkSeconds), Timeout: pulumi.Int(checkSeconds / 2),
			HealthyThreshold: pulumi.Int(checks), UnhealthyThreshold: pulumi.Int(checks),
		},
	})
	if err != nil {
		return err
	}
	b.made.Booking = b.target(balancer, targets)
	if err := b.listeners(balancer, targets); err != nil {
		return err
	}
	return b.firewall(balancer)
}

// listeners take browsers, and systems that show a certificate.
func (b *builder) listeners(balancer *lb.LoadBalancer, targets *lb.TargetGroup) error {
	common := lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Protocol: pulumi.String("HTTPS"), SslPolicy: pulumi.String(tlsPolicy),
		CertificateArn: b.args.Booking.CertificateArn.ToStringOutput(), DefaultActions: forward(targets),
		RoutingHttpResponseStrictTransportSecurityHeaderValue: pulumi.String(hsts),
		RoutingHttpResponseServerEnabled:                      pulumi.Bool(false),
	}
	browsers := common
	browsers.Port, browsers.Tags = pulumi.Int(publicPort), named(b.name(booking))
	if _, err := lb.NewListener(b.ctx, b.name(booking), &browsers, b.parent); err != nil {
		return err
	}
	if b.args.Booking.ClientCA == "" {
		return nil
	}
	store, err := b.trustStore()
	if err != nil {
		return err
	}
	systems := common
	systems.Port, systems.Tags = pulumi.Int(systemsPort), named(b.name("systems"))
	// The balancer refuses whoever has no certificate of one of the authorities, and
	// hands its subject on in a header that clients cannot set.
	systems.MutualAuthentication = lb.ListenerMutualAuthenticationArgs{Mode: pulumi.String("verify"), TrustStoreArn: store.Arn}
	_, err = lb.NewListener(b.ctx, b.name("systems"), &systems, b.parent)
	return err
}

// trustStore holds the authorities of systems' certificates.
func (b *builder) trustStore() (*lb.TrustStore, error) {
	name := b.name("systems")
	object, err := s3.NewBucketObjectv2(b.ctx, name, &s3.BucketObjectv2Args{
		Bucket: b.bucket.Bucket, Key: pulumi.String("authorities/systems.pem"), Content: pulumi.String(b.args.Booking.ClientCA),
		ContentType: pulumi.String("application/x-pem-file"),
	}, b.parent, pulumi.DependsOn(b.ready))
	if err != nil {
		return nil, err
	}
	return lb.NewTrustStore(b.ctx, name, &lb.TrustStoreArgs{
		Name: pulumi.String(name), CaCertificatesBundleS3Bucket: b.bucket.Bucket, CaCertificatesBundleS3Key: object.Key,
		// The version says which text it is: a new one is taken over in place.
		CaCertificatesBundleS3ObjectVersion: object.VersionId,
		Tags:                                named(name),
	}, b.parent)
}
