// SPDX-License-Identifier: Apache-2.0

// Package platform installs on a cluster, wherever it runs, the engines that
// services stand on, our operators, and the services themselves.
package platform

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/component/manifests"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/infra/platform/certmanager"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/infra/platform/services"
	"spine.nhs.uk/controlplane/infra/tags"
)

// Images lists the images that the platform takes from the registry, as
// "name:tag"; hack/images builds them under the same.
func Images() []string {
	return []string{
		"booking-service:dev", "cert-manager-controller:v1.21.2", "cloudnative-pg:v1.30.0", "message-gateway:dev", "postgresql:17-2",
		"rabbitmq-cluster-operator:v2.20.0", "rabbitmq:4.0-1", "spine-manager:dev",
	}
}

// Args say what to install.
type Args struct {
	Names  naming.Namer
	Tags   tags.Tags
	Images component.Images
	// Cluster is what to install on.
	Cluster component.Cluster
	// Operators are the files of our manager.
	Operators fs.FS
	// EdgeAddress is where traffic from outside enters: every host serves it. It is empty
	// where balancers outside of the cluster lead traffic in; Entrances are those.
	EdgeAddress string
	// Entrances are where the services answer, by name: mesh, bulk, booking. Nil: at the
	// EdgeAddress.
	Entrances map[string]component.Endpoint
	// VolumesKey encrypts the volumes of engines in the cluster, by its ARN; empty on a
	// cluster that has a class of volumes.
	VolumesKey string
	// After is what has to be there before the first of it.
	After []pulumi.Resource
	// Later are values that are known once what they belong to is made, by the text that
	// stands for each in the objects: the whole of a value.
	Later map[string]pulumi.StringInput
	// Hosts that our manager may switch; nil where hosts are not ours.
	Hosts *manager.Hosts
	// Class is what kind of environment it is: Live, for example. Empty: nobody knows.
	Class string
	// Operations are the rules of recovery operations: a struct with JSON tags, as the manager
	// reads them.
	Operations any
	// Authorities sign certificates that another site has to believe; nil for a site alone.
	Authorities *certmanager.Authorities
	// Pair makes the site one of two; nil for a site alone.
	Pair *services.Pair
	// ThirdPlace is what the manager needs of a pair's third place and of the other site;
	// nil for a site alone.
	ThirdPlace *manager.ThirdPlace
	// Messaging and Booking are the services; Booking is nil when it is left out.
	Messaging *services.Messaging
	Booking   *services.Booking
}

// Validate says what a caller forgot.
func (a *Args) Validate() error {
	if a.Cluster.Resource == nil || a.Cluster.Addons == nil || len(a.Cluster.APIServers) == 0 || a.Operators == nil {
		return errors.New("a cluster, its add-ons, the networks of its API servers and the operators' files are needed")
	}
	if (a.EdgeAddress == "") == (len(a.Entrances) == 0) {
		return errors.New("either the edge's address or the entrances are needed")
	}
	if a.Messaging == nil {
		return errors.New("messaging is left out, through which booking sends its events")
	}
	return nil
}

// Platform is what a cluster offers beyond Kubernetes.
type Platform struct {
	pulumi.ResourceState

	// Services are where the services answer to clients: mesh, bulk, booking.
	Services map[string]component.Endpoint
}

// values are what the engines' files refer to.
type values struct {
	APIServers []string
	APIPort    int
}

// New installs the platform: engines side by side, then our manager, then the
// services side by side, which leave in the opposite order.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Platform, error) {
	p := &Platform{}
	if err := component.Register(ctx, component.TypePlatform, name, args, p, opts...); err != nil {
		return nil, err
	}
	in := manifests.Inputs{
		Images: args.Images,
		Labels: args.Tags.Labels(),
		Values: values{APIServers: args.Cluster.APIServers, APIPort: args.Cluster.API.Port},
	}
	install := func(set manifests.Set, err error, seconds int, after ...pulumi.Resource) (pulumi.Resource, error) {
		if err != nil {
			return nil, err
		}
		// There is no point in deleting operators from a cluster that is being reset.
		return apply(ctx, args, set, seconds, pulumi.Parent(p), pulumi.DependsOn(append(after, args.After...)), pulumi.DeletedWith(args.Cluster.Resource))
	}
	certificates, err := certmanager.Set(args.Authorities, in)
	issuing, err := install(certificates, err, engineSeconds)
	if err != nil {
		return nil, err
	}
	engines := []pulumi.Resource{issuing}
	sets, err := args.engines(in)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		made, err := install(set, nil, engineSeconds)
		if err != nil {
			return nil, err
		}
		engines = append(engines, made)
	}
	// Its certificate is cert-manager's to issue.
	operators, err := manager.Set(args.Operators, manager.Args{
		EdgeAddress: args.EdgeAddress, APIServers: args.Cluster.APIServers, APIPort: args.Cluster.API.Port,
		Hosts: args.Hosts, Class: args.Class, Operations: args.Operations, ThirdPlace: args.ThirdPlace,
	}, in)
	ours, err := install(operators, err, engineSeconds, issuing)
	if err != nil {
		return nil, err
	}
	engines = append(engines, ours)
	set, err := services.Set(args.Messaging, args.Booking, args.Pair, args.Images, in.Labels)
	if err != nil {
		return nil, err
	}
	// What comes last goes first. If it disappeared with the cluster, nobody would be
	// asked whether it may, and acknowledged work would be lost without a word.
	last := pulumi.DependsOn(slices.Concat(engines, []pulumi.Resource{args.Cluster.Addons}, args.After))
	if _, err := apply(ctx, args, set, serviceSeconds, pulumi.Parent(p), last); err != nil {
		return nil, err
	}
	p.Services = args.entrances()
	return p, component.Done(ctx, p, pulumi.Map{})
}

// entrances are where the services answer.
func (a *Args) entrances() map[string]component.Endpoint {
	if len(a.Entrances) > 0 {
		return a.Entrances
	}
	endpoint := func(port int) component.Endpoint { return component.Endpoint{Address: a.EdgeAddress, Port: port} }
	found := map[string]component.Endpoint{"mesh": endpoint(services.MeshPort), "bulk": endpoint(services.BulkPort)}
	if a.Booking != nil {
		found["booking"] = endpoint(services.BookingPort)
	}
	return found
}
