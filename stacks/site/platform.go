// SPDX-License-Identifier: Apache-2.0

package site

import (
	"io/fs"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/baremetal/site"
	"spine.nhs.uk/controlplane/infra/platform"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/infra/platform/services"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// wanted are the services of the environment, with what they refer to read in;
// both nil for a site without.
type wanted struct {
	messaging *services.Messaging
	booking   *services.Booking
	// hosts that the manager may switch; nil when there are none, or no services.
	hosts *manager.Hosts
	// class is the environment's.
	class environments.Class
	// operations are the rules that the manager gets.
	operations environments.Operations
	// pair is the other site and the third place.
	pair pair
}

// secrets are the values of the stack's configuration that nobody may read.
type secrets struct {
	// mailboxes is spine:mailboxSecrets, bmcs spine:bmcPasswords; empty when not set.
	mailboxes, bmcs string
}

// readServices reads what the services of the environment refer to. All problems
// are in the errors.
func readServices(env *environments.Environment, secrets secrets, project fs.FS) (wanted, field.ErrorList) {
	w := wanted{class: env.Class, operations: env.Operations}
	backup, errs := readBackups(env)
	if m := env.Messaging; m != nil {
		made, problems := shared.Messaging(m.CatalogueFile, m.Gateway, secrets.mailboxes, shared.In(project))
		if made != nil {
			made.Database, made.Broker = shared.Store(m.Database), shared.Store(m.Broker)
			made.Database.Backup = backup
		}
		w.messaging = made
		errs = append(errs, problems...)
	}
	if b := env.Booking; b != nil {
		made, problems := shared.Booking(b.Service, b.Tokens, b.Providers, b.HostNames, readLocal)
		made.Database = shared.Store(b.Database)
		// Awake is left to others.
		if b.Activity != environments.ActivityAwake {
			made.Activity, made.Wake, made.Sleep = string(b.Activity), b.Wake, b.Sleep
		}
		made.Database.Backup = backup
		w.booking = made
		errs = append(errs, problems...)
	}
	if w.messaging != nil || w.booking != nil {
		made, problems := switchable(env, secrets.bmcs)
		w.hosts = made
		errs = append(errs, problems...)
	}
	joined, problems := readPair(env)
	w.pair = joined
	errs = append(errs, problems...)
	return w, errs
}

// install makes the platform, when a service wants it.
func install(ctx *pulumi.Context, made *site.Site, args *site.Args, w wanted) error {
	if w.messaging == nil && w.booking == nil {
		return nil
	}
	return shared.Install(ctx, &platform.Args{
		Names:       args.Names,
		Tags:        args.Tags,
		Images:      made.Images,
		Cluster:     made.Cluster,
		EdgeAddress: args.EdgeAddress,
		Class:       string(w.class),
		Operations:  w.operations,
		Hosts:       w.hosts,
		Authorities: w.pair.authorities,
		Pair:        w.pair.services,
		ThirdPlace:  w.pair.thirdPlace,
		Messaging:   w.messaging,
		Booking:     w.booking,
	}, pulumi.Providers(made.Provider))
}
