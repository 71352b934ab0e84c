// SPDX-License-Identifier: Apache-2.0

// Package broker is an environment's RabbitMQ where AWS runs it: three nodes of
// Amazon MQ, one in each zone. It dispatches only: the database holds the truth,
// and a broker that is lost is filled again from there.
package broker

import (
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say what the broker should be.
type Args struct {
	Names naming.Namer
	// Protect has Pulumi refuse to delete it: for live environments.
	Protect bool
	// Version is RabbitMQ's, with its minor: 4.2, the first with what the services' queues need. AWS applies patches itself.
	Version string
	// InstanceType is that of each of the three nodes: mq.m7g.large or larger, the
	// only kind that has RabbitMQ 4.
	InstanceType string

	// VPC is the network that it is reached from; Subnets are its private subnets,
	// one in each of three zones.
	VPC     pulumi.StringInput
	Subnets pulumi.StringArrayInput
	// Clients are the security groups whose members may connect, and no others.
	Clients []pulumi.StringInput

	// SecretsKey encrypts the secret that holds the administrator's password: an
	// ARN. The broker's own storage has a key of AWS's: Amazon MQ takes no other
	// for RabbitMQ.
	SecretsKey pulumi.StringInput
	// Password is the administrator's, 12 to 250 characters of which none is a
	// comma, colon, equals sign or space: a secret of the stack's configuration.
	Password pulumi.StringInput
}

var (
	version  = regexp.MustCompile(`^4\.\d+$`)
	instance = regexp.MustCompile(`^mq\.m7g\.(large|x?large|[0-9]+xlarge)$`)
)

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	if !version.MatchString(a.Version) {
		p.Add("version", "is %q; it must be RabbitMQ's major and minor, such as 4.2", a.Version)
	}
	if !instance.MatchString(a.InstanceType) {
		p.Add("instanceType", "is %q; RabbitMQ 4 needs mq.m7g.large or larger", a.InstanceType)
	}
	p.Given("vpc", a.VPC, "the network's ID")
	p.Given("subnets", a.Subnets, "the IDs of three private subnets")
	if len(a.Clients) == 0 {
		p.Add("clients", "is empty: nobody could connect; name the security groups that may")
	}
	p.Given("secretsKey", a.SecretsKey, "the ARN of the key for secrets")
	p.Given("password", a.Password, "a secret of the stack's configuration")
	return p.Err()
}
