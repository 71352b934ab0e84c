// SPDX-License-Identifier: Apache-2.0

// Package security is an account's evidence and watch: the audit trail in a
// locked bucket, what every resource's configuration was and when, and who looks
// for attacks and open doors. All of it exists once in an account and region.
package security

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say what is watched.
type Args struct {
	Names naming.Namer
	// Account is the number of the account, 12 digits; Region is its region.
	Account, Region string
	// Protect has Pulumi refuse to delete the evidence: for live environments.
	Protect bool
	// Key encrypts the evidence: the ARN of the key for logs.
	Key pulumi.StringInput
	// VolumesKey encrypts volumes for which nobody names a key: the ARN of the key
	// for the platform.
	VolumesKey pulumi.StringInput
	// LogDays is how long the trail and the history of configuration are kept and
	// locked, at least 365.
	LogDays int
	// DataBuckets are the ARNs of buckets of which each read and write goes into
	// the trail.
	DataBuckets []pulumi.StringInput
	// Alerts is the ARN of the SNS topic that severe findings go to.
	Alerts pulumi.StringInput
}

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	p.Need("region", a.Region, "the environment's region")
	p.Given("key", a.Key, "the ARN of the key for logs")
	p.Given("volumesKey", a.VolumesKey, "the ARN of the key for the platform")
	p.Retention("logDays", a.LogDays)
	p.Given("alerts", a.Alerts, "the ARN of the alarms' topic")
	return p.Err()
}
