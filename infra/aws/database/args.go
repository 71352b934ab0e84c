// SPDX-License-Identifier: Apache-2.0

// Package database is the PostgreSQL that holds an environment's truth: Aurora,
// whose storage is six copies in three zones whatever the number of instances.
package database

import (
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say what the database should be.
type Args struct {
	Names naming.Namer
	// Protect has Pulumi refuse to delete it, and with it all that it stands on.
	Protect bool
	// Deletable takes AWS's own protection off: set in the one update before the
	// database is destroyed, which keeps a last snapshot.
	Deletable bool
	// Version is the engine's, with its minor: 16.8. A new minor is applied in
	// place, one instance after the other.
	Version string
	// InstanceClass is that of every instance: any of them may become the
	// primary, so none is smaller. db.r6g.large, for example.
	InstanceClass string
	// Zones are the availability zones that instances are spread over, in turn.
	Zones []string
	// Instances is 1 to 15: the primary and its standbys. With 3 in 3 zones, the
	// loss of a zone leaves one to spare.
	Instances int
	// Database is the name of the database that is made in it.
	Database string

	// VPC is the network that it is reached from; Subnets are its private subnets,
	// one in each zone.
	VPC     pulumi.StringInput
	Subnets pulumi.StringArrayInput
	// Clients are the security groups whose members may connect, and no others.
	Clients []pulumi.StringInput

	// Password is the owner's, 8 to 128 characters of which none is a slash, a quotation
	// mark, an at sign or a space: a secret of the stack's configuration.
	Password pulumi.StringInput

	// Key encrypts the data; LogsKey its logs, SecretsKey its administrator's
	// password: ARNs.
	Key, LogsKey, SecretsKey pulumi.StringInput
	// LogDays is how long its logs are kept, at least 365.
	LogDays int
}

var (
	version = regexp.MustCompile(`^1[4-9]\.\d+$`)
	class   = regexp.MustCompile(`^db\.[a-z0-9]+\.[a-z0-9]+$`)
	word    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// most is how many instances Aurora allows in a cluster.
const most = 15

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	if !version.MatchString(a.Version) {
		p.Add("version", "is %q; it must be a PostgreSQL version with its minor, such as 16.8", a.Version)
	}
	if !class.MatchString(a.InstanceClass) {
		p.Add("instanceClass", "is %q; it must be a class of RDS, such as db.r6g.large", a.InstanceClass)
	}
	if len(a.Zones) == 0 {
		p.Add("zones", "is empty; name the availability zones")
	}
	p.Between("instances", a.Instances, 1, most)
	if !word.MatchString(a.Database) {
		p.Add("database", "is %q; it must begin with a letter and go on in letters, digits and _, at most 63 of them", a.Database)
	}
	p.Given("vpc", a.VPC, "the network's ID")
	p.Given("subnets", a.Subnets, "the IDs of the private subnets")
	if len(a.Clients) == 0 {
		p.Add("clients", "is empty: nobody could connect; name the security groups that may")
	}
	p.Given("password", a.Password, "a secret of the stack's configuration")
	p.Given("key", a.Key, "the ARN of the key for patients' data")
	p.Given("logsKey", a.LogsKey, "the ARN of the key for logs")
	p.Given("secretsKey", a.SecretsKey, "the ARN of the key for secrets")
	p.Retention("logDays", a.LogDays)
	return p.Err()
}
