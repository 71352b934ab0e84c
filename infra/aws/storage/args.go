// SPDX-License-Identifier: Apache-2.0

// Package storage is where an environment keeps documents and dumps: S3 buckets
// that are private, versioned, locked and reached over TLS only.
package storage

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Lock says who can delete an object before its time.
type Lock string

// The locks of S3.
const (
	// Governance: only who has s3:BypassGovernanceRetention, which no role of ours
	// has: a second person would have to give it.
	Governance Lock = "GOVERNANCE"
	// Compliance: nobody, not even the account's root. It cannot be taken back.
	Compliance Lock = "COMPLIANCE"
)

// Bucket is one bucket.
type Bucket struct {
	// Name is a DNS label within the environment: documents.
	Name string
	// Lock and LockDays keep each version of an object for that long, 1 to 36500.
	Lock     Lock
	LockDays int
	// InfrequentDays is after how many days objects move to the class for
	// infrequent access, at least 30; 0 for never.
	InfrequentDays int
	// ExpireDays is after how many days objects are deleted; 0 for never.
	ExpireDays int
	// OldVersionDays is how long versions that were overwritten or deleted are kept
	// and can be had back, at least LockDays.
	OldVersionDays int
	// Data says what class of data it holds, as the tag data-class.
	Data string
}

// Args say what buckets there should be.
type Args struct {
	Names naming.Namer
	// Account is the number of the environment's account; it ends the names of
	// buckets, which are unique in the world.
	Account string
	// Protect has Pulumi refuse to delete them: for live environments.
	Protect bool
	// Key encrypts what they hold: an ARN.
	Key pulumi.StringInput
	// Buckets are at least one.
	Buckets []Bucket
}

var label = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}[a-z0-9]$`)

const (
	mostLockDays = 36500
	// leastInfrequent is S3's own: objects stay in the standard class that long.
	leastInfrequent = 30
)

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	p.Given("key", a.Key, "the ARN of the key for patients' data")
	if len(a.Buckets) == 0 {
		p.Add("buckets", "is empty; name at least one")
	}
	seen := map[string]bool{}
	for i, b := range a.Buckets {
		at := func(field string) string { return fmt.Sprintf("buckets[%d].%s", i, field) }
		if !label.MatchString(b.Name) || seen[b.Name] {
			p.Add(at("name"), "is %q; it must be a DNS label of 2 to 32 characters, and no other bucket's", b.Name)
		}
		seen[b.Name] = true
		p.OneOf(at("lock"), string(b.Lock), string(Governance), string(Compliance))
		p.Between(at("lockDays"), b.LockDays, 1, mostLockDays)
		if b.InfrequentDays != 0 && b.InfrequentDays < leastInfrequent {
			p.Add(at("infrequentDays"), "is %d; it must be 0, for never, or at least %d", b.InfrequentDays, leastInfrequent)
		}
		if b.OldVersionDays < b.LockDays {
			p.Add(at("oldVersionDays"), "is %d, less than the %d days of the lock; make it at least as many", b.OldVersionDays, b.LockDays)
		}
		if b.ExpireDays != 0 && b.ExpireDays <= max(b.InfrequentDays, b.LockDays) {
			p.Add(at("expireDays"), "is %d; it must be 0, for never, or more than lockDays and infrequentDays", b.ExpireDays)
		}
		p.Need(at("data"), b.Data, "the class of data that it holds, such as patient")
	}
	return p.Err()
}
