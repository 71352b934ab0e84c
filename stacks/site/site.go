// SPDX-License-Identifier: Apache-2.0

// Package site is the stack of a bare-metal site.
package site

import (
	"errors"
	"io/fs"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/baremetal/site"
	"spine.nhs.uk/controlplane/infra/platform"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// offlineVariable, when it is 1, makes a plan without contacting hosts or the
// registry.
const offlineVariable = "SPINE_OFFLINE"

// Build makes the site of the environment. A mistake in it is found before the
// first resource, and all of them are in the error.
func Build(ctx *pulumi.Context, environment []byte) error {
	if len(environment) == 0 {
		return errors.New("spine:environment is missing from the stack's configuration")
	}
	env, err := environments.Parse(environment)
	if err != nil {
		return err
	}
	offline := os.Getenv(offlineVariable) == "1"
	project := os.DirFS(ctx.RootDirectory())
	var hidden secrets
	hidden.mailboxes, _ = ctx.GetConfig(shared.MailboxesKey)
	hidden.bmcs, _ = ctx.GetConfig("spine:bmcPasswords")
	ca, w, err := files(env, hidden, project)
	if err != nil {
		return err
	}
	for _, w := range env.Warnings() {
		if err := ctx.Log.Warn(w, nil); err != nil {
			return err
		}
	}
	args := arguments(env, ca, project)
	args.Offline = offline
	if w.messaging != nil || w.booking != nil {
		args.Images = platform.Images()
	}
	made, err := site.New(ctx, args.Names.Name(), args)
	if err != nil {
		return err
	}
	export(ctx, env, made)
	return install(ctx, made, args, w)
}

// files reads what the environment refers to on this machine: host keys, which
// it fills in, the registry's authority, and what services need.
func files(env *environments.Environment, secrets secrets, project fs.FS) (ca string, w wanted, err error) {
	var errs field.ErrorList
	read := func(path *field.Path, file string) string {
		if file == "" {
			return ""
		}
		text, err := readLocal(file)
		if err != nil {
			errs = append(errs, shared.Unreadable(path, file, err))
		}
		return text
	}
	known := read(field.NewPath("ssh", "knownHostsFile"), env.SSH.KnownHostsFile)
	ca = read(field.NewPath("registry", "caFile"), env.Registry.CAFile)
	if len(errs) == 0 {
		errs = env.PinHostKeys(known)
	}
	w, problems := readServices(env, secrets, project)
	if errs = append(errs, problems...); len(errs) > 0 {
		return "", wanted{}, &environments.Error{Problems: errs}
	}
	return ca, w, nil
}

// readLocal reads a file of an environment on this machine.
func readLocal(file string) (string, error) {
	raw, err := os.ReadFile(resolve(file))
	return string(raw), err
}

func export(ctx *pulumi.Context, env *environments.Environment, made *site.Site) {
	var nodes pulumi.MapArray
	for _, h := range made.Hosts {
		nodes = append(nodes, pulumi.Map{
			"name":    pulumi.String(h.Name),
			"address": pulumi.String(h.Address),
			"role":    pulumi.String(h.Role),
			"rack":    pulumi.String(h.Rack),
		})
	}
	ctx.Export("kubeconfig", made.Cluster.Kubeconfig)
	ctx.Export("apiEndpoint", pulumi.String(made.Cluster.API.URL()))
	ctx.Export("edgeAddress", pulumi.String(made.Edge.Address))
	ctx.Export("nodes", nodes)
	ctx.Export("kubernetesVersion", pulumi.String(env.Kubernetes.Version))
}
