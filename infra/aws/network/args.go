// SPDX-License-Identifier: Apache-2.0

// Package network is the private network of one environment: three zones,
// subnets by what may reach them, endpoints of AWS's services, and one way out
// that leads to named networks only.
package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Region is the only region of AWS in which data may be (domain.md: residency
// is the United Kingdom).
const Region = "eu-west-2"

// Zones are the region's three. They are written down rather than asked for: a
// plan needs no account, and a zone can never change its place in the list, which
// would replace every subnet.
var Zones = []string{Region + "a", Region + "b", Region + "c"}

// Args say what the network should be.
type Args struct {
	Names naming.Namer
	// Account is the environment's AWS account, 12 digits: endpoints serve no
	// credentials of another.
	Account string
	// CIDR is the network's IPv4 range, /16 to /20. It cannot be changed later,
	// and must not overlap with that of an environment it will ever talk to.
	CIDR string
	// EgressZones is how many zones have a way out and endpoints of their own: 3,
	// so that the loss of a zone takes nobody else's, or 1, which costs a third
	// and is for environments that may be without for a while (silver, bronze).
	EgressZones int
	// Allowed are the networks outside that machines may open connections to, at
	// most 40; there is no route to any other. None is a good list: AWS's own
	// services are reached by endpoints.
	Allowed []Allowed
	// LogKeyArn is the KMS key of flow logs.
	LogKeyArn pulumi.StringInput
	// LogDays is how long flow logs are kept, in days: one of the periods of a year
	// and more that CloudWatch knows.
	LogDays int
}

// Allowed is one line of the allow-list.
type Allowed struct {
	// CIDR is an IPv4 network; not 0.0.0.0/0, at least a /8.
	CIDR string
	// Purpose says what is there, 1 to 255 characters: it stands beside the entry
	// in the prefix list, where an auditor reads it.
	Purpose string
}

// Limits of the arguments.
const (
	largestBits, smallestBits = 16, 20
	// mostAllowed: each entry counts as a route, of which a table holds 50 by
	// default (VPC quotas), and some are needed for endpoints.
	mostAllowed   = 40
	mostPurpose   = 255
	widestAllowed = 8
)

// Validate says everything that is wrong with the arguments.
func (a *Args) Validate() error {
	var p component.Problems
	p.Account("account", a.Account)
	r, err := netip.ParsePrefix(a.CIDR)
	if err != nil || !r.Addr().Is4() || r != r.Masked() || r.Bits() < largestBits || r.Bits() > smallestBits || !r.Addr().IsPrivate() {
		p.Add("cidr", "is %q; it must be a private IPv4 network (RFC 1918) of /%d to /%d, such as 10.64.0.0/16", a.CIDR, largestBits, smallestBits)
	}
	if a.EgressZones != 1 && a.EgressZones != len(Zones) {
		p.Add("egressZones", "is %d; it must be 1 or %d", a.EgressZones, len(Zones))
	}
	if len(a.Allowed) > mostAllowed {
		p.Add("allowed", "has %d networks; at most %d, as each is a route: join neighbours", len(a.Allowed), mostAllowed)
	}
	for i, n := range a.Allowed {
		n.validate(&p, fmt.Sprintf("allowed[%d]", i))
	}
	p.Given("logKeyArn", a.LogKeyArn, "the KMS key for logs")
	p.Retention("logDays", a.LogDays)
	return p.Err()
}

func (n Allowed) validate(p *component.Problems, path string) {
	if r, err := netip.ParsePrefix(n.CIDR); err != nil || !r.Addr().Is4() || r != r.Masked() || r.Bits() < widestAllowed {
		p.Add(path+".cidr", "is %q; it must be an IPv4 network of /%d or smaller, such as 192.0.2.0/24", n.CIDR, widestAllowed)
	}
	if n.Purpose == "" || len(n.Purpose) > mostPurpose {
		p.Add(path+".purpose", "has %d characters; say in 1 to %d what is there", len(n.Purpose), mostPurpose)
	}
}
