// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/json"
	"io/fs"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/baremetal/site"
	"spine.nhs.uk/controlplane/infra/platform"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/infra/platform/services"
	"spine.nhs.uk/controlplane/operators/manifests"
)

// wanted are the services of the environment, with what they refer to read in;
// both nil for a site without.
type wanted struct {
	messaging *services.Messaging
	booking   *services.Booking
	// hosts that the manager may switch; nil when there are none, or no services.
	hosts *manager.Hosts
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
	w := wanted{operations: env.Operations}
	var errs field.ErrorList
	if m := env.Messaging; m != nil {
		made, problems := messaging(m, secrets.mailboxes, project)
		w.messaging = made
		errs = append(errs, problems...)
	}
	if b := env.Booking; b != nil {
		made, problems := booking(b)
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

func messaging(m *environments.Messaging, secrets string, project fs.FS) (*services.Messaging, field.ErrorList) {
	at := field.NewPath("messaging", "catalogueFile")
	text, err := fs.ReadFile(project, m.CatalogueFile)
	if err != nil {
		return nil, field.ErrorList{unreadable(at, m.CatalogueFile, err)}
	}
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, m.CatalogueFile, err.Error())}
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
		Gateway:   workload(m.Gateway),
		Database:  store(m.Database),
		Broker:    store(m.Broker),
		Suppliers: compact(catalogue.Suppliers),
		Routes:    compact(catalogue.Routes),
		Mailboxes: mailboxes,
		Clients:   clients,
	}, nil
}

func booking(b *environments.Booking) (*services.Booking, field.ErrorList) {
	p := field.NewPath("booking")
	var errs field.ErrorList
	keys, err := readLocal(b.Tokens.KeysFile)
	if err != nil {
		errs = append(errs, unreadable(p.Child("tokens", "keysFile"), b.Tokens.KeysFile, err))
	} else if !json.Valid([]byte(keys)) {
		errs = append(errs, field.Invalid(p.Child("tokens", "keysFile"), b.Tokens.KeysFile, "is not a JSON Web Key Set: it is no JSON"))
	}
	made := &services.Booking{
		Service:       workload(b.Service),
		Database:      store(b.Database),
		TokenKeys:     keys,
		TokenIssuer:   b.Tokens.Issuer,
		TokenAudience: b.Tokens.Audience,
		HostNames:     b.HostNames,
	}
	if v := b.Providers; v != nil {
		made.ProviderNetworks, made.ProviderPort = v.Networks, v.Port
		if made.ProviderCA, err = readLocal(v.CAFile); err != nil {
			errs = append(errs, unreadable(p.Child("providers", "caFile"), v.CAFile, err))
		}
	}
	return made, errs
}

func workload(w environments.Workload) services.Workload {
	return services.Workload{Replicas: w.Replicas, CPUMillis: w.CPUMillis, MemoryMiB: w.MemoryMiB}
}

func store(s environments.Store) services.Store {
	return services.Store{StorageGiB: s.StorageGiB, CPUMillis: s.CPUMillis, MemoryMiB: s.MemoryMiB}
}

// install makes the platform, when a service wants it.
func install(ctx *pulumi.Context, made *site.Site, args *site.Args, w wanted) error {
	if w.messaging == nil && w.booking == nil {
		return nil
	}
	p, err := platform.New(ctx, args.Names.Name(), &platform.Args{
		Names:       args.Names,
		Tags:        args.Tags,
		Images:      made.Images,
		Cluster:     made.Cluster,
		Operators:   manifests.FS,
		EdgeAddress: args.EdgeAddress,
		Operations:  w.operations,
		Hosts:       w.hosts,
		Authorities: w.pair.authorities,
		Pair:        w.pair.services,
		ThirdPlace:  w.pair.thirdPlace,
		Messaging:   w.messaging,
		Booking:     w.booking,
	}, pulumi.Providers(made.Provider))
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

// compact returns a list as plain objects without what is empty: the resource's
// own defaults are the same.
func compact[T any](list []T) []map[string]any {
	var out []map[string]any
	raw, err := json.Marshal(list)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic("site: plain values cannot become plain objects: " + err.Error())
	}
	for _, o := range out {
		prune(o)
	}
	return out
}

func prune(o map[string]any) {
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			delete(o, k)
		case string:
			if v == "" {
				delete(o, k)
			}
		case float64:
			if v == 0 {
				delete(o, k)
			}
		case map[string]any:
			prune(v)
		}
	}
}
