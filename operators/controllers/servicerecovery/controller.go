// SPDX-License-Identifier: Apache-2.0

// Package servicerecovery carries ServiceRecoveries out: the engine in kit/operation runs
// them, the actions here say what each one does.
package servicerecovery

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

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/ports"
)

// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries,verbs=get;list;watch,namespace=spine-messaging
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=approvals,verbs=list;watch,namespace=spine-messaging
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries/status,verbs=patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=spine-messaging
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries,verbs=get;list;watch,namespace=spine-booking
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=approvals,verbs=list;watch,namespace=spine-booking
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries/status,verbs=patch,namespace=spine-booking
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=spine-booking
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries,verbs=get;list;watch,namespace=spine-system
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=approvals,verbs=list;watch,namespace=spine-system
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=servicerecoveries/status,verbs=patch,namespace=spine-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=spine-system

const (
	// SystemNamespace is where the manager and the leases of hosts and of the site are, and
	// where operations on hosts are asked for.
	SystemNamespace = lease.SystemNamespace
	// ManagerUser is the manager's own name as the API server knows it.
	ManagerUser = "system:serviceaccount:spine-system:spine-manager"
	// atOnce is how many operations go on at a time: a slow step of one must not hold up
	// another, such as the fencing of a host.
	atOnce = 4
	// retryPace is the least, failurePace the most between tries while nothing can be read or
	// written: the operation may be what brings the API server's host back.
	retryPace   = 200 * time.Millisecond
	failurePace = 5 * time.Second
)

// Reconciler of ServiceRecoveries.
type Reconciler struct {
	// Client reads (children from the cache, Leases as they are) and writes.
	Client client.Client
	// Reader reads what is there now, without a cache: everything that a step rests on.
	Reader client.Reader
	// Prober asks the services' programs.
	Prober ports.Prober
	// DeadLetters are asked of the message gateways.
	DeadLetters ports.DeadLetters
	// Peer is the other site; nil where there is one only.
	Peer ports.Peer
	// Power switches hosts.
	Power ports.Power
	// Messaging and Booking are the namespaces of the services that hosts hold up.
	Messaging, Booking string
	// Events for people.
	Events *kit.Events
	// Clock is the time.
	Clock clock.PassiveClock
	// Policy of the environment: approvals, change window, cool-down.
	Policy api.OperationsConfig
	// Actions that it knows: Actions(), or what a test puts there.
	Actions map[api.Action]Constructor
}

// Reconcile carries one ServiceRecovery on as far as it goes now. It is read without the
// cache: an older state would let a step seem not to have begun.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	o := &api.ServiceRecovery{}
	if err := r.Reader.Get(ctx, request.NamespacedName, o); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	return r.resource(o).Advance(ctx, describe(o), r.action(o))
}

// SetupWithManager registers the controller. An approval may be what an operation waits for.
func (r *Reconciler) SetupWithManager(m ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(m).
		Named("servicerecovery").
		// Its own writes must not make it look at once again: it says itself when to.
		For(&api.ServiceRecovery{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&api.Approval{}, handler.EnqueueRequestsFromMapFunc(approvedOperation)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: atOnce,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryPace, failurePace),
		}).
		Complete(r)
}

func approvedOperation(_ context.Context, o client.Object) []reconcile.Request {
	approval, ok := o.(*api.Approval)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: approval.Namespace, Name: approval.Spec.Operation.Name}}}
}
