// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// scope is one reconcile.
type scope struct {
	*Reconciler
	// service as it will be patched; its status is what phases record in.
	service *api.MessagingService
	// before is the service as it was read.
	before *api.MessagingService
	// now is the time of the whole reconcile.
	now time.Time
	// children of the service.
	children kit.Children

	// database, broker and gateway are set by observe. Each is the zero value, which means
	// unknown, when it could not be read.
	database database.State
	broker   desired.BrokerState
	gateway  gatewayState
	// databaseChild, brokerChild and gatewayChild are set by observe; nil when they could
	// not be read, or somebody else runs the engine.
	databaseChild, brokerChild, gatewayChild *kit.Child
	// order of the site's manager that is in force: set by orders.
	order common.SiteOrder
	// takeover says whether the other site could serve now: set by obey, nil where nobody knows.
	takeover *metav1.Condition
	// databaseObeys says that the live database is asked for as the order has it: set by observe.
	databaseObeys bool
	// operation that holds the service, in words; empty when none does.
	operation string
	// replication is what the gateways said of it in this reconcile; nil when they did not.
	replication *ports.ReplicationStatus
	// counted is whether the gateways answered with counts in this reconcile.
	counted bool
	// portTaken says who has a port of the edge's address already: set by support, empty when
	// nobody has.
	portTaken string
	// decision is set by parts; nil before.
	decision *rollout.Decision
	// stalled and failed are how the phases ended; nil when they went well.
	stalled *kit.StalledError
	failed  error
}

// gatewayState is how the gateways are.
type gatewayState struct {
	// known says that the Deployment's status is of its current specification.
	known bool
	// desired, updated and available count gateways, and replicas are those that the Deployment
	// asks for by now.
	desired, updated, available, replicas int32
	// there counts pods, also those that are on their way out, while none is to be there.
	there int32
	// complete says that all gateways run the current template, long enough, and no other.
	complete bool
	// image that the Deployment asks for. Empty before there is one.
	image string
}

func newScope(r *Reconciler, service *api.MessagingService) *scope {
	return &scope{
		Reconciler: r, service: service, before: service.DeepCopy(), now: r.Clock.Now(),
		children: kit.Children{Client: r.Client, Owner: service},
	}
}

// resting says that the gateways are not to run at this site.
func (s *scope) resting() bool { return s.order.Role != "" && s.order.Role != common.SiteActive }

// program is where the gateways stand between two images.
func (s *scope) program() rollout.Program {
	status := s.service.Status.Gateway
	p := rollout.Program{
		Wanted: string(s.service.Spec.Gateway.Image), Current: s.gateway.image,
		LastGood: status.LastGoodImage, Rejected: status.RejectedImage, Complete: s.gateway.complete,
		Replicas: s.gateway.replicas,
	}
	switch {
	case status.StartedAt != nil:
		p.StartedAt = &status.StartedAt.Time
	case p.Current != p.LastGood && s.gatewayChild != nil && s.gatewayChild.Live != nil:
		// The start of this change was not recorded: the manager ended between the two.
		at := s.gatewayChild.ChangedAt()
		p.StartedAt = &at
	}
	return p
}

// changing says that a change of the gateways is in progress, also one whose start was not
// recorded, or not read back yet.
func (s *scope) changing() bool { return s.program().StartedAt != nil }
