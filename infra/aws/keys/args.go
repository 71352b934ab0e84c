// SPDX-License-Identifier: Apache-2.0

// Package keys is what an environment in AWS encrypts, identifies itself and
// votes with: KMS keys, the certificate of its names, and the witness table.
package keys

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Class is a class of data. Each has a key of its own, so that the right to
// read logs, for example, is no right to read patients' data.
type Class string

// The classes of data.
const (
	// Patient is what identifies patients: databases, queues, documents, and
	// the witness's votes beside them.
	Patient Class = "patient"
	// Platform is what the cluster itself keeps: Kubernetes' secrets, its
	// machines' volumes, images.
	Platform Class = "platform"
	// Logs is evidence: log groups, the audit trail, alarms' topics.
	Logs Class = "logs"
	// Secrets is what gives access: passwords in Secrets Manager.
	Secrets Class = "secrets"
	// Backups is the recovery points in the environment's own account.
	Backups Class = "backups"
)

// Certificate is the certificate of the environment's names. AWS renews it by
// itself as long as the records that prove the names stay in the zone.
type Certificate struct {
	// Domains are its names, the main one first; "*.x" covers the names below x.
	Domains []string
	// ZoneID is the Route 53 zone of all these names.
	ZoneID pulumi.StringInput
}

// Args say what keys there should be.
type Args struct {
	Names naming.Namer
	// Account is the number of the environment's account, 12 digits.
	Account string
	// BackupAccount is the number of the account that copies of backups go to: it
	// may read what they are encrypted with. Empty without such copies.
	BackupAccount string
	// Region is the environment's, for the services that may use a key.
	Region string
	// Protect has Pulumi refuse to delete keys and votes: for live environments.
	Protect bool
	// Certificate is nil where another place ends TLS.
	Certificate *Certificate
	// Deletable takes AWS's own protection off the witness table: set in the one
	// update before the environment is destroyed.
	Deletable bool
	// Witness adds the table in which sites vote about who is active.
	Witness bool
}

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	if a.BackupAccount != "" {
		p.Account("backupAccount", a.BackupAccount)
	}
	p.Need("region", a.Region, "the environment's region")
	if a.Certificate != nil {
		if len(a.Certificate.Domains) == 0 {
			p.Add("certificate.domains", "is empty; name what the certificate is for, or leave the certificate out")
		}
		for _, d := range a.Certificate.Domains {
			if d == "" || strings.ToLower(d) != d || strings.HasSuffix(d, ".") || !strings.Contains(d, ".") {
				p.Add("certificate.domains", "%q is no name of a domain: lower case, at least two parts, no dot at the end", d)
			}
		}
		p.Given("certificate.zoneID", a.Certificate.ZoneID, "the ID of the zone that holds the names")
	}
	return p.Err()
}
