// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"
	"net/url"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/broker"
	"spine.nhs.uk/controlplane/infra/aws/database"
	"spine.nhs.uk/controlplane/infra/aws/keys"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/platform"
	"spine.nhs.uk/controlplane/infra/platform/services"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine"
	"spine.nhs.uk/controlplane/infra/tags"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// What AWS tells once it is made stands in objects as these texts before.
const (
	databaseHost = "host of the database"
	brokerHost   = "host of the broker"
	volumesKey   = "key of volumes"
)

// amqps is the port of AMQP over TLS.
const amqps = 5671

// public is the port at which balancers take clients.
const public = 443

// aurora is what services know the database as: it decides what makes a commit durable.
const aurora = "Aurora"

// makePlatform installs what runs in the cluster, by the same code as on machines of our
// own. It is the last to be made, and the first to go.
func (s *stack) makePlatform() error {
	if s.installed.messaging == nil {
		return nil
	}
	provider, err := spine.NewProvider(s.ctx, s.name, &spine.ProviderArgs{})
	if err != nil {
		return err
	}
	args := &platform.Args{
		Names: s.names, Tags: tags.Tags{Environment: s.env.Name, Owner: s.env.Owner}, Images: s.installed.images,
		Cluster: s.cluster.Cluster, Class: string(s.env.Class), Operations: s.env.Operations,
		Entrances: map[string]component.Endpoint{"mesh": {Name: s.domain(messages), Port: public}},
		Later:     map[string]pulumi.StringInput{databaseHost: s.database.Database.Writer},
		// Pods start on machines, and programs when their engines answer.
		After: []pulumi.Resource{s.cluster, s.database, s.pods},
	}
	data := services.Engine{Elsewhere: &services.Elsewhere{
		Host: databaseHost, Port: s.database.Database.Port, Networks: network.CIDRs(s.network.Data),
		Username: database.Owner, Password: s.secrets.database, Authorities: s.installed.authorities,
		Kind: aurora, Database: s.database.Database.Database,
	}}
	messaging := *s.installed.messaging
	messaging.Database, messaging.HostNames, messaging.NodePort = data, []string{s.domain(messages)}, messagesPort
	if s.broker == nil {
		messaging.Broker = shared.Store(s.env.Broker.Member)
		args.VolumesKey, args.Later[volumesKey] = volumesKey, s.keys.ARN[keys.Platform]
	} else {
		messaging.Broker = services.Engine{Elsewhere: &services.Elsewhere{
			Host: brokerHost, Port: amqps, Networks: network.CIDRs(s.network.Data),
			Username: broker.Administrator, Password: s.secrets.broker, Authorities: broker.Authorities,
		}}
		args.Later[brokerHost] = s.broker.Broker.Endpoint.ApplyT(hostOf).(pulumi.StringOutput)
		args.After = append(args.After, s.broker)
	}
	args.Messaging = &messaging
	if s.installed.booking != nil {
		booking := *s.installed.booking
		booking.Database, booking.NodePort = data, referralsPort
		if f := s.env.Finance; f.Running == environments.RunningWorkingHours {
			booking.Activity, booking.Wake, booking.Sleep = services.WorkingHours, f.Wake, f.Sleep
		}
		args.Booking, args.Entrances["booking"] = &booking, component.Endpoint{Name: s.domain(referrals), Port: public}
	}
	return shared.Install(s.ctx, args, pulumi.Providers(provider))
}

// hostOf is the host of an URL: amqps://b-1.mq.eu-west-2.amazonaws.com:5671.
func hostOf(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("the broker's endpoint is %q, and has no host", endpoint)
	}
	return u.Hostname(), nil
}
