// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform/services"
)

// mailboxSecrets is what MailboxesKey holds.
type mailboxSecrets struct {
	// SharedKey signs the requests of all clients.
	SharedKey string `json:"sharedKey"`
	// Passwords are by the mailboxes' identifiers.
	Passwords map[string]string `json:"passwords"`
}

const (
	leastSecret = 8
	mostSecret  = 256
)

// mailbox is one of mailboxes.yaml, as the message gateway reads it.
type mailbox struct {
	ID               string   `json:"id"`
	Name             string   `json:"name"`
	Password         string   `json:"password"`
	Organisation     string   `json:"organisation"`
	PartyKey         string   `json:"partyKey,omitempty"`
	ASID             string   `json:"asid,omitempty"`
	CertificateNames []string `json:"certificateNames"`
	Workflows        []string `json:"workflows"`
	Supplier         string   `json:"supplier"`
	Internal         bool     `json:"internal"`
}

// mailboxes joins the catalogue's mailboxes and their secrets to the text of
// mailboxes.yaml, and lists the clients to issue a certificate to. No error has
// a secret in it.
func mailboxes(list []environments.Mailbox, secrets string) (string, []services.Client, field.ErrorList) {
	at := field.NewPath(MailboxesKey)
	if secrets == "" {
		return "", nil, field.ErrorList{field.Required(at, "the sharedKey and passwords of mailboxes: "+
			`"pulumi config set --secret `+MailboxesKey+` < FILE" with {"sharedKey":"...","passwords":{"ID":"..."}} in it`)}
	}
	var given mailboxSecrets
	d := json.NewDecoder(strings.NewReader(secrets))
	d.DisallowUnknownFields()
	// The decoder's own words may quote what it read.
	if d.Decode(&given) != nil {
		return "", nil, field.ErrorList{field.Invalid(at, "(secret)", "must be JSON with the keys sharedKey and passwords, both text by mailbox id")}
	}
	errs := checkSecret(at.Child("sharedKey"), given.SharedKey)
	var file struct {
		SharedKey string    `json:"sharedKey"`
		Mailboxes []mailbox `json:"mailboxes"`
	}
	file.SharedKey = given.SharedKey
	var clients []services.Client
	for _, m := range list {
		errs = append(errs, checkSecret(at.Child("passwords").Key(m.ID), given.Passwords[m.ID])...)
		file.Mailboxes = append(file.Mailboxes, mailbox{
			ID: m.ID, Name: m.Name, Password: given.Passwords[m.ID], Organisation: m.Organisation, PartyKey: m.PartyKey, ASID: m.ASID,
			CertificateNames: m.CertificateNames, Workflows: m.Workflows, Supplier: m.Supplier,
			Internal: m.Interface == environments.InterfaceBulk,
		})
		delete(given.Passwords, m.ID)
		if m.Certificate == environments.CertificateIssued {
			clients = append(clients, services.Client{Mailbox: m.ID, Names: m.CertificateNames})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(given.Passwords)) {
		errs = append(errs, field.Forbidden(at.Child("passwords").Key(id), "the catalogue has no such mailbox: remove it"))
	}
	if len(errs) > 0 {
		return "", nil, errs
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return "", nil, field.ErrorList{field.InternalError(at, err)}
	}
	return string(text), clients, nil
}

func checkSecret(at *field.Path, secret string) field.ErrorList {
	if secret == "" {
		return field.ErrorList{field.Required(at, "every mailbox has a password, and all share a key")}
	}
	odd := strings.IndexFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' })
	if len(secret) < leastSecret || len(secret) > mostSecret || odd >= 0 {
		return field.ErrorList{field.Invalid(at, "(secret)", fmt.Sprintf("must be %d to %d printable characters without spaces", leastSecret, mostSecret))}
	}
	return nil
}
