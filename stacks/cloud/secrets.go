// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// The secrets of the configuration with the passwords of the database's owner and of the
// broker's administrator.
const (
	databasePasswordKey = "spine:databasePassword"
	brokerPasswordKey   = "spine:brokerPassword"
)

// secrets are values of the stack's configuration that nobody may read; empty when not set.
type secrets struct{ database, broker, mailboxes string }

// given are those that the configuration has.
func given(ctx *pulumi.Context) secrets {
	var s secrets
	s.database, _ = ctx.GetConfig(databasePasswordKey)
	s.broker, _ = ctx.GetConfig(brokerPasswordKey)
	s.mailboxes, _ = ctx.GetConfig(shared.MailboxesKey)
	return s
}

// A password has bounds and characters that it must not have, those of the service of AWS
// that takes it, or less.
type password struct {
	key, whose  string
	least, most int
	odd, words  string
}

var (
	// ownerPassword: "Create DB cluster" in the API reference of RDS, MasterUserPassword.
	ownerPassword = password{databasePasswordKey, "the database's owner's", 12, 99, `/"@ `, "slashes, quotation marks, at signs and spaces"}
	// administratorPassword: "User" in the API reference of Amazon MQ.
	administratorPassword = password{brokerPasswordKey, "the broker's administrator's", 12, 250, ",:= ", "commas, colons, equals signs and spaces"}
)

func (p *plan) takePasswords(given secrets) field.ErrorList {
	p.secrets.database = given.database
	errs := ownerPassword.check(given.database)
	if p.env.Broker.Kind == environments.BrokerAmazonMQ {
		p.secrets.broker = given.broker
		errs = append(errs, administratorPassword.check(given.broker)...)
	}
	return errs
}

func (w password) check(value string) field.ErrorList {
	at := field.NewPath(w.key)
	switch {
	case value == "":
		return field.ErrorList{field.Required(at, w.whose+" password: `openssl rand -hex 24 | pulumi config set --secret "+w.key+"`")}
	case len(value) < w.least || len(value) > w.most || strings.ContainsAny(value, w.odd):
		return field.ErrorList{field.Invalid(at, "(secret)", fmt.Sprintf("must be %d to %d characters, without %s", w.least, w.most, w.words))}
	}
	return nil
}
