// SPDX-License-Identifier: Apache-2.0

// Package edge is where traffic from outside enters an environment: a network
// balancer that passes the message service's mutual TLS through, and an
// application balancer with a firewall for the booking service's pages and API.
package edge

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say what the edge should be.
type Args struct {
	Names naming.Namer
	// Account is the environment's AWS account, 12 digits.
	Account string
	// Network is where it stands, in the edge subnets.
	Network *network.Network
	// NodeSecurityGroup is the group of the nodes that answer; the edge lets
	// itself in, at the target ports and nowhere else.
	NodeSecurityGroup pulumi.StringInput
	// Groups are names of autoscaling groups whose machines answer, by a name that
	// stays the same: a cluster's Groups.
	Groups map[string]pulumi.StringOutput
	// Internal keeps the balancers off the Internet: they have addresses of the
	// network only. For environments that only testers use, over a private line.
	Internal bool
	// Messaging is the message service's way in; nil for none.
	Messaging *Messaging
	// Booking is the booking service's way in; nil for none.
	Booking *Booking
	// Shield adds Shield Advanced's protection to the balancers. The account needs
	// its subscription (3,000 USD a month, for a year); without, Shield Standard
	// protects at no cost.
	Shield bool
	// Deletable lets AWS delete the balancers, which it else refuses: for the update
	// before an environment is torn down.
	Deletable bool
	// Protect refuses to delete the bucket of logs, in Pulumi.
	Protect bool
	// LogKeyArn is the KMS key of the logs, but for those of an application load balancer.
	LogKeyArn pulumi.StringInput
	// LogDays is how long logs of the edge are kept, in days: one of the periods of a
	// year and more that CloudWatch knows.
	LogDays int
}

// Messaging is a way in by TCP: the gateway itself ends TLS and knows its clients
// by their certificates (MESH: mutual TLS and an authorisation header), so nothing
// between may open it.
type Messaging struct {
	// TargetPort is the nodes' port of the gateway, 1024 to 65535.
	TargetPort int
}

// Booking is a way in by HTTPS.
type Booking struct {
	// CertificateArn is that of the public names, in ACM, which renews it.
	CertificateArn pulumi.StringInput
	// TargetPort is the nodes' port of the service, by HTTPS, 1024 to 65535.
	TargetPort int
	// HealthPath is what a healthy target answers with 200, such as /readyz.
	HealthPath string
	// ClientCA is the PEM of the authorities of system clients' certificates. They
	// come in at port 8443, where a certificate is demanded; people's browsers come
	// in at 443, without. Empty for no such clients.
	ClientCA string
	// RequestsPerFiveMinutes is how many requests one address may make in five
	// minutes before it is refused, 100 to 2,000,000,000. The published limit of
	// the API is 10 a second for an application: 3,000; hospitals come from a
	// few addresses each, so choose more.
	RequestsPerFiveMinutes int
}

// Limits of the arguments.
const (
	lowestPort, highestPort = 1024, 65535
	leastRequests           = 100
	mostRequests            = 2_000_000_000
	// longestName is that of a balancer or target group (ELB's API); the names are
	// the environment's and one of the ways in.
	longestName = 32
)

// Validate says everything that is wrong with the arguments.
func (a *Args) Validate() error {
	var p component.Problems
	p.Account("account", a.Account)
	if name := a.Names.Name(messaging); len(name) > longestName {
		p.Add("names", "make the balancer %q, which has %d characters; at most %d: shorten the environment's", name, len(name), longestName)
	}
	if a.Network == nil {
		p.Add("network", "is not set; pass the environment's network")
	}
	p.Given("nodeSecurityGroup", a.NodeSecurityGroup, "the group of the nodes that answer")
	if len(a.Groups) == 0 {
		p.Add("groups", "is empty; pass the cluster's, or nothing answers")
	}
	if a.Messaging == nil && a.Booking == nil {
		p.Add("messaging", "and booking are both missing; an edge is for at least one")
	}
	if m := a.Messaging; m != nil {
		p.Between("messaging.targetPort", m.TargetPort, lowestPort, highestPort)
	}
	if a.Booking != nil {
		a.Booking.validate(&p)
	}
	p.Given("logKeyArn", a.LogKeyArn, "the KMS key for logs")
	p.Retention("logDays", a.LogDays)
	return p.Err()
}

func (b *Booking) validate(p *component.Problems) {
	p.Given("booking.certificateArn", b.CertificateArn, "the certificate of the public names")
	p.Between("booking.targetPort", b.TargetPort, lowestPort, highestPort)
	if !strings.HasPrefix(b.HealthPath, "/") {
		p.Add("booking.healthPath", "is %q; it must begin with /, such as /readyz", b.HealthPath)
	}
	if b.ClientCA != "" {
		if problem := certificates(b.ClientCA); problem != "" {
			p.Add("booking.clientCA", "%s; it must be PEM certificates of authorities", problem)
		}
	}
	p.Between("booking.requestsPerFiveMinutes", b.RequestsPerFiveMinutes, leastRequests, mostRequests)
}

// certificates says what is wrong with the PEM of authorities; empty if nothing is.
func certificates(text string) string {
	rest, found := []byte(text), 0
	for len(bytes.TrimSpace(rest)) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return fmt.Sprintf("has text that is no PEM after %d certificates", found)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case block.Type != "CERTIFICATE" || err != nil:
			return fmt.Sprintf("block %d is no certificate", found+1)
		case !c.IsCA:
			return fmt.Sprintf("certificate %d is not an authority's", found+1)
		}
		found++
	}
	return ""
}
