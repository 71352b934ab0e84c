// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=failovers/status,verbs=patch,namespace=spine-system

// Kind of the operations here, as leases and approvals name it.
const Kind = "Failover"

const (
	// retryPace is the least, failurePace the most between tries while nothing can be read or written.
	retryPace   = 200 * time.Millisecond
	failurePace = 5 * time.Second
)

// Reconciler of Failovers.
type Reconciler struct {
	// Client writes (and reads Leases as they are), Reader reads what is there now.
	Client client.Client
	Reader client.Reader
	// Witness at the third place, Peer, the other site, and Traffic, which sends clients to one of them.
	Witness ports.Witness
	Peer    ports.Peer
	Traffic ports.TrafficDirector
	// Prober of this site's programs.
	Prober ports.Prober
	// Events for people.
	Events *kit.Events
	// Clock is the time.
	Clock clock.PassiveClock
	// Rules of the environment: approvals, change window, cool-down.
	Rules api.OperationsConfig
}

// Reconcile carries one Failover on as far as it goes now. It is read without the cache: an
// older state would let a step seem not to have begun.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	o := &api.Failover{}
	if err := r.Reader.Get(ctx, request.NamespacedName, o); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	resource := operation.Resource{
		Client: r.Client, Reader: r.Reader, Object: o, Events: r.Events, Clock: r.Clock, Policy: r.Rules, Trusted: ManagerUser,
		Status: func(o client.Object) *api.OperationStatus { return &o.(*api.Failover).Status },
	}
	return resource.Advance(ctx, describe(o), &action{Reconciler: r, operation: o})
}

// asked is what of a specification a plan's digest covers.
type asked struct {
	Mode          api.FailoverMode `json:"mode"`
	To            common.SiteName  `json:"to"`
	MaxLoss       *api.LossLimit   `json:"maxLoss,omitempty"`
	AcceptUnknown bool             `json:"acceptUnknownLoss"`
}

// describe says to the engine what it has to know of an operation.
func describe(o *api.Failover) *operation.Operation {
	s := &o.Spec
	name := api.ActionPlannedFailover
	if s.Mode == api.FailoverUnplanned {
		name = api.ActionUnplannedFailover
	}
	return &operation.Operation{
		Holder:  lease.Holder{Kind: Kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID},
		Created: o.CreationTimestamp.Time, Generation: o.Generation, Action: name,
		Target: asked{s.Mode, s.To, s.MaxLoss, s.AcceptUnknownLoss != nil},
		Spec:   &s.OperationSpec, Status: &o.Status,
	}
}

// SetupWithManager registers the controller. An approval may be what an operation waits for.
func (r *Reconciler) SetupWithManager(m ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(m).
		Named("failover").
		// Its own writes must not make it look at once again: it says itself when to.
		For(&api.Failover{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&api.Approval{}, handler.EnqueueRequestsFromMapFunc(approvedOperation)).
		WithOptions(controller.Options{
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryPace, failurePace),
		}).
		Complete(r)
}

func approvedOperation(_ context.Context, o client.Object) []reconcile.Request {
	a, ok := o.(*api.Approval)
	if !ok || a.Spec.Operation.Kind != Kind {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: a.Namespace, Name: a.Spec.Operation.Name}}}
}
