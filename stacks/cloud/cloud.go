// SPDX-License-Identifier: Apache-2.0

// Package cloud is the stack of an environment in AWS.
package cloud

import (
	"errors"
	"io/fs"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

// plan is all that a stack is built from.
type plan struct {
	env   *environments.Cloud
	names naming.Namer
	// account is the environment's own, backups that of its backups, empty without.
	account, backups string
	// authorities is the PEM text of system clients' authorities, empty without.
	authorities string
	// secrets are those of the configuration that the environment needs.
	secrets secrets
	// installed is what goes into the cluster.
	installed installed
	// types are the type tokens of all AWS resources of the stack.
	types []string
}

// Build makes the environment. A mistake in it, or between it and the others of the
// catalogue, is found before the first resource, and all of them are in the error.
func Build(ctx *pulumi.Context, environment []byte) error {
	p, err := read(ctx.Stack(), environment, given(ctx), os.DirFS(ctx.RootDirectory()))
	if err != nil {
		return err
	}
	if p.types, err = usedTypes(p); err != nil {
		return err
	}
	return build(ctx, p)
}

// read checks the environment and reads what it refers to in the project's folder.
func read(stack string, environment []byte, given secrets, project fs.FS) (*plan, error) {
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
		p.authorities, errs = pemFile(project, field.NewPath("edge", "clientAuthoritiesFile"), p.env.Edge.ClientAuthoritiesFile)
		errs = append(errs, p.takePasswords(given)...)
		errs = append(errs, p.readServices(project, given.mailboxes)...)
	}
	if len(errs) > 0 {
		return nil, &environments.Error{Problems: errs}
	}
	return p, nil
}
