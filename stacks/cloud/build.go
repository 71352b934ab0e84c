// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/broker"
	"spine.nhs.uk/controlplane/infra/aws/cluster"
	"spine.nhs.uk/controlplane/infra/aws/database"
	"spine.nhs.uk/controlplane/infra/aws/dns"
	"spine.nhs.uk/controlplane/infra/aws/edge"
	"spine.nhs.uk/controlplane/infra/aws/identity"
	"spine.nhs.uk/controlplane/infra/aws/keys"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/aws/observability"
	"spine.nhs.uk/controlplane/infra/aws/storage"
)

// stack is what has been made so far. A part is nil until its step is done, and those of
// what the environment does without stay so.
type stack struct {
	*plan
	ctx *pulumi.Context
	// name is the environment's.
	name string
	// home acts in the environment's account, away in that of its backups.
	home, away *aws.Provider

	identity *identity.Identity
	zone     *dns.Zone
	keys     *keys.Keys
	network  *network.Network
	alerts   *observability.Topic
	cluster  *cluster.Cluster
	database *database.Database
	broker   *broker.Broker
	storage  *storage.Storage
	edge     *edge.Edge
	pods     *identity.Pods
}

// build makes the parts in the order in which they need each other.
func build(ctx *pulumi.Context, p *plan) error {
	s := &stack{plan: p, ctx: ctx, name: p.names.Name()}
	for _, step := range []func() error{
		s.providers,
		// Every role made from here on is below its ceiling.
		s.makeIdentity,
		// The certificate is proven by records in the zone, and comes with the keys.
		s.makeZone, s.makeKeys,
		s.makeNetwork,
		// What is watched tells the topic; it comes before all of it.
		s.makeAlerts,
		s.makeCluster, s.makeDatabase, s.makeBroker, s.makeStorage,
		s.makeSecurity, s.makeBackup,
		s.makeEdge, s.makeRecords,
		s.makePods, s.makeObservability, s.makeFinOps,
		s.makePlatform,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	s.export()
	return nil
}

// serving says whether patients' data is in the environment: Pulumi itself then refuses to
// delete what holds it.
func (s *stack) serving() bool { return s.env.Live != nil }

// deletable says whether AWS's own protection of what holds data is taken off.
func (s *stack) deletable() bool { return s.env.Recovery.Deletion == environments.DeletionAllowed }

// hasBooking says whether the booking service runs in the environment.
func (s *stack) hasBooking() bool { return s.env.Service == environments.ServiceERS }

// role is the ARN of a role of the environment's account.
func (s *stack) role(name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:role/%s", s.account, name)
}

func (s *stack) export() {
	s.ctx.Export("account", pulumi.String(s.account))
	s.ctx.Export("deployRoleArn", s.identity.DeployRoleArn)
	s.ctx.Export("nameServers", s.zone.NameServers)
	s.ctx.Export("cluster", pulumi.String(s.cluster.Name))
	s.ctx.Export("kubeconfig", s.cluster.Kubeconfig)
	s.ctx.Export("databaseEndpoint", s.database.Database.Writer)
	if s.broker != nil {
		s.ctx.Export("brokerEndpoint", s.broker.Broker.Endpoint)
	}
}
