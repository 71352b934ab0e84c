// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Mailbox is one party's address, with what proves that a caller owns it.
type Mailbox struct {
	// ID is upper case, at most 64 characters.
	ID string
	// Name is for people; the ID when the file gives none.
	Name string
	// Password signs the requests of the mailbox's owner, together with the shared key.
	Password Secret
	// Organisation is the ODS code of the owner.
	Organisation string
	// PartyKey and ASID identify the owner's system in the national directory; either may be empty.
	PartyKey, ASID string
	// CertificateNames are the common names or DNS names, in lower case, of which a caller's certificate must have one.
	CertificateNames []string
	// Workflows are the interactions that the mailbox may send and receive; AllWorkflows alone stands for every one that
	// has a route.
	Workflows []string
	// Supplier made the owner's software. Throttles, kill switches and dead letters are kept by supplier.
	Supplier string
	// Internal mailboxes may use the bulk interface as well.
	Internal bool
}

// AllWorkflows in the place of a list lets a mailbox take part in every interaction that has a route.
const AllWorkflows = "*"

func (m *Mailbox) all() bool { return m.Workflows[0] == AllWorkflows }

// Owns says whether a certificate with these names may act for the mailbox. Case does not matter, as in DNS.
func (m *Mailbox) Owns(certificateNames []string) bool {
	for _, name := range certificateNames {
		for _, own := range m.CertificateNames {
			if strings.EqualFold(name, own) {
				return true
			}
		}
	}
	return false
}

// Directory is what one version of the file says. It never changes and is safe for concurrent use.
type Directory struct {
	// SharedKey is the secret that all clients of the environment sign their requests with.
	SharedKey Secret

	list          []*Mailbox
	byID          map[string]*Mailbox
	byCertificate map[string][]*Mailbox
}

// All returns the mailboxes in the order of the file. The caller must not change what it gets.
func (d *Directory) All() []*Mailbox { return d.list }

// Lookup returns the mailbox of that ID, or nil. Case counts: a front that takes IDs in any case, as the published API
// does, makes them upper case once, so that the inside has one spelling.
func (d *Directory) Lookup(id string) *Mailbox { return d.byID[id] }

// Receivers returns the mailboxes that take part in the interaction, in the order of the file; with an organisation
// (ODS code, any case) only those of that organisation.
func (d *Directory) Receivers(workflow, organisation string) []*Mailbox {
	var out []*Mailbox
	for _, m := range d.list {
		if organisation != "" && !strings.EqualFold(m.Organisation, organisation) {
			continue
		}
		if m.all() || slices.Contains(m.Workflows, workflow) {
			out = append(out, m)
		}
	}
	return out
}

// Party is the mailbox as the inside of the gateway knows it: without what proves its owner.
func (m *Mailbox) Party() message.Party {
	p := message.Party{Mailbox: m.ID, Organisation: m.Organisation, Supplier: m.Supplier, Internal: m.Internal}
	if !m.all() {
		p.Workflows = m.Workflows
	}
	return p
}

// Named returns the mailboxes that a certificate with one of these names may act for, each once.
func (d *Directory) Named(certificateNames []string) []*Mailbox {
	var out []*Mailbox
	for _, name := range certificateNames {
		for _, m := range d.byCertificate[strings.ToLower(name)] {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

func newDirectory(sharedKey Secret, list []*Mailbox) *Directory {
	d := &Directory{
		SharedKey: sharedKey, list: list, byID: make(map[string]*Mailbox, len(list)),
		byCertificate: map[string][]*Mailbox{},
	}
	for _, m := range list {
		d.byID[m.ID] = m
		for _, name := range m.CertificateNames {
			d.byCertificate[name] = append(d.byCertificate[name], m)
		}
	}
	return d
}
