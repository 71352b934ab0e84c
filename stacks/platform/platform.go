// SPDX-License-Identifier: Apache-2.0

// Package platform turns what an environment says of its services into what is installed
// on its cluster: by the same code on bare metal and in AWS.
package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform"
	"spine.nhs.uk/controlplane/infra/platform/services"
	"spine.nhs.uk/controlplane/operators/manifests"
)

// MailboxesKey is the secret of the configuration with the mailboxes' passwords.
const MailboxesKey = "spine:mailboxSecrets"

// Reader reads a file that an environment names.
type Reader func(file string) (string, error)

// In reads files of the project's folder.
func In(project fs.FS) Reader {
	return func(file string) (string, error) {
		text, err := fs.ReadFile(project, file)
		return string(text), err
	}
}

// Unreadable says why a file could not be read, without repeating its name.
func Unreadable(path *field.Path, file string, err error) *field.Error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return field.Invalid(path, file, fmt.Sprintf("cannot be read: %v", err))
}

// Messaging is the messaging service with the catalogue of the file, joined to the
// mailboxes' secrets; its engines are left to the caller. All problems are in the errors.
func Messaging(catalogueFile string, gateway environments.Workload, secrets string, read Reader) (*services.Messaging, field.ErrorList) {
	at := field.NewPath("messaging", "catalogueFile")
	text, err := read(catalogueFile)
	if err != nil {
		return nil, field.ErrorList{Unreadable(at, catalogueFile, err)}
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, catalogueFile, err.Error())}
	}
	catalogue, errs := environments.ParseCatalogue(raw, field.NewPath("catalogue"))
	if len(errs) > 0 {
		return nil, errs
	}
	mailboxes, clients, errs := mailboxes(catalogue.Mailboxes, secrets)
	if len(errs) > 0 {
		return nil, errs
	}
	return &services.Messaging{
		Gateway:   workload(gateway),
		Suppliers: compact(catalogue.Suppliers),
		Routes:    compact(catalogue.Routes),
		Mailboxes: mailboxes,
		Clients:   clients,
	}, nil
}

// Booking is the booking service; its database is left to the caller. All problems are
// in the errors.
func Booking(service environments.Workload, tokens environments.Tokens, providers *environments.Providers, hostNames []string, read Reader) (*services.Booking, field.ErrorList) {
	p := field.NewPath("booking")
	var errs field.ErrorList
	keys, err := read(tokens.KeysFile)
	if err != nil {
		errs = append(errs, Unreadable(p.Child("tokens", "keysFile"), tokens.KeysFile, err))
	} else if !json.Valid([]byte(keys)) {
		errs = append(errs, field.Invalid(p.Child("tokens", "keysFile"), tokens.KeysFile, "is not a JSON Web Key Set: it is no JSON"))
	}
	made := &services.Booking{
		Service:       workload(service),
		TokenKeys:     keys,
		TokenIssuer:   tokens.Issuer,
		TokenAudience: tokens.Audience,
		HostNames:     hostNames,
	}
	if v := providers; v != nil {
		made.ProviderNetworks, made.ProviderPort = v.Networks, v.Port
		if made.ProviderCA, err = read(v.CAFile); err != nil {
			errs = append(errs, Unreadable(p.Child("providers", "caFile"), v.CAFile, err))
		}
	}
	return made, errs
}

func workload(w environments.Workload) services.Workload {
	return services.Workload{Replicas: w.Replicas, CPUMillis: w.CPUMillis, MemoryMiB: w.MemoryMiB}
}

// Store is the size of each member of an engine in the cluster.
func Store(s environments.Store) services.Engine {
	return services.Engine{Store: services.Store{StorageGiB: s.StorageGiB, CPUMillis: s.CPUMillis, MemoryMiB: s.MemoryMiB}}
}

// Install makes the platform, with our own operators, and exports where its services
// answer.
func Install(ctx *pulumi.Context, args *platform.Args, opts ...pulumi.ResourceOption) error {
	args.Operators = manifests.FS
	p, err := platform.New(ctx, args.Names.Name(), args, opts...)
	if err != nil {
		return err
	}
	addresses := pulumi.StringMap{}
	for name, endpoint := range p.Services {
		addresses[name] = pulumi.String(endpoint.URL())
	}
	ctx.Export("services", addresses)
	return nil
}
