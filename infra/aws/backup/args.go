// SPDX-License-Identifier: Apache-2.0

// Package backup keeps recovery points of all that holds data: in a vault of the
// environment's own account, and a copy of each in a locked vault of another one,
// which nobody who can break the environment can touch.
package backup

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Away is the other account.
type Away struct {
	// Account is its number, never the environment's own.
	Account string
	// Provider acts in it; a second explicit provider of the stack.
	Provider pulumi.ProviderResource
}

// Args say what is backed up.
type Args struct {
	Names naming.Namer
	// Account is the number of the environment's account, 12 digits.
	Account string
	// Protect has Pulumi refuse to delete the vaults: for live environments.
	Protect bool
	// Away is where the copies go.
	Away Away
	// LockAfterDays makes the vaults' lock final after that many days, at least 3:
	// from then on nobody, AWS included, can delete a recovery point before its
	// time or the vault with it. 0 leaves the lock to be lifted by who may: for
	// environments that are made and unmade.
	LockAfterDays int
	// Key encrypts the recovery points in the environment's own account: an ARN.
	Key pulumi.StringInput
	// Resources are the ARNs of what is backed up: databases, tables, buckets.
	Resources []pulumi.StringInput
	// Tested are the kinds of resources of which a recovery point is restored each
	// week and then deleted, as AWS Backup calls them: Aurora, DynamoDB, S3.
	Tested []string
	// Alerts is the ARN of the SNS topic that hears of failed jobs.
	Alerts pulumi.StringInput
}

// leastGrace is AWS's own: a lock can be taken back that long.
const leastGrace = 3

// mostGrace is ours: a lock that is not final is none.
const mostGrace = 30

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	p.Account("away.account", a.Away.Account)
	if a.Away.Account == a.Account {
		p.Add("away.account", "is the environment's own; copies belong into another account")
	}
	p.Given("away.provider", a.Away.Provider, "the provider of the backup account")
	if a.LockAfterDays != 0 {
		p.Between("lockAfterDays", a.LockAfterDays, leastGrace, mostGrace)
	}
	p.Given("key", a.Key, "the ARN of the key for backups")
	if len(a.Resources) == 0 {
		p.Add("resources", "is empty; name what holds data")
	}
	for i, kind := range a.Tested {
		p.OneOf(fmt.Sprintf("tested[%d]", i), kind, "Aurora", "DynamoDB", "EBS", "S3")
	}
	p.Given("alerts", a.Alerts, "the ARN of the alarms' topic")
	return p.Err()
}
