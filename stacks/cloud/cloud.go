// SPDX-License-Identifier: Apache-2.0

// Package cloud is the stack of an environment in AWS.
package cloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

// passwordKey is the secret of the configuration with the broker's administrator's
// password.
const passwordKey = "spine:brokerPassword"

// plan is all that a stack is built from.
type plan struct {
	env   *environments.Cloud
	names naming.Namer
	// account is the environment's own, backups that of its backups, empty without.
	account, backups string
	// authorities is the PEM text of system clients' authorities, empty without.
	authorities string
	// password is the broker's administrator's, empty for a broker in the cluster.
	password string
	// types are the type tokens of all AWS resources of the stack.
	types []string
}

// Build makes the environment. A mistake in it, or between it and the others of the
// catalogue, is found before the first resource, and all of them are in the error.
func Build(ctx *pulumi.Context, environment []byte) error {
	password, _ := ctx.GetConfig(passwordKey)
	p, err := read(ctx.Stack(), environment, password, os.DirFS(ctx.RootDirectory()))
	if err != nil {
		return err
	}
	if p.types, err = usedTypes(p); err != nil {
		return err
	}
	return build(ctx, p)
}

// read checks the environment and reads what it refers to in the project's folder.
func read(stack string, environment []byte, password string, project fs.FS) (*plan, error) {
	neighbours, err := catalogue.Read(project)
	if err != nil {
		return nil, err
	}
	env, err := catalogue.Check(stack, environment, neighbours, cost.Published())
	var problems *environments.Error
	switch {
	case errors.As(err, &problems):
	case err != nil:
		return nil, err
	}
	p := &plan{env: env}
	var errs field.ErrorList
	if problems != nil {
		errs = problems.Problems
	} else {
		p.names = naming.New(env.Name)
		p.account, p.backups = env.Accounts()
		errs = append(errs, p.readAuthorities(project)...)
		errs = append(errs, p.takePassword(password)...)
	}
	if len(errs) > 0 {
		return nil, &environments.Error{Problems: errs}
	}
	return p, nil
}

func (p *plan) readAuthorities(project fs.FS) field.ErrorList {
	file := p.env.Edge.ClientAuthoritiesFile
	if file == "" {
		return nil
	}
	at := field.NewPath("edge", "clientAuthoritiesFile")
	text, err := fs.ReadFile(project, file)
	if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		return field.ErrorList{field.Invalid(at, file, fmt.Sprintf("cannot be read: %v", err))}
	}
	if !strings.Contains(string(text), "-----BEGIN CERTIFICATE-----") {
		return field.ErrorList{field.Invalid(at, file, "holds no certificate in PEM")}
	}
	p.authorities = string(text)
	return nil
}

// Bounds and forbidden characters of Amazon MQ's passwords (its API's reference, User).
const (
	leastPassword, mostPassword = 12, 250
	oddInPassword               = ",:= "
)

func (p *plan) takePassword(password string) field.ErrorList {
	if p.env.Broker.Kind != environments.BrokerAmazonMQ {
		return nil
	}
	at := field.NewPath(passwordKey)
	switch {
	case password == "":
		return field.ErrorList{field.Required(at, "the broker's administrator's password: `openssl rand -hex 24 | pulumi config set --secret "+passwordKey+"`")}
	case len(password) < leastPassword || len(password) > mostPassword || strings.ContainsAny(password, oddInPassword):
		return field.ErrorList{field.Invalid(at, "(secret)", fmt.Sprintf("must be %d to %d characters, without commas, colons, equals signs and spaces", leastPassword, mostPassword))}
	}
	p.password = password
	return nil
}
