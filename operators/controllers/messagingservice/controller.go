// SPDX-License-Identifier: Apache-2.0

// Package messagingservice brings a MessagingService about: ledger, broker and gateways,
// each by its builder, changed one member at a time, judged by a deep probe.
package messagingservice

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// +kubebuilder:rbac:groups=messaging.spine.nhs.uk,resources=messagingservices,verbs=get;list;watch;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=messaging.spine.nhs.uk,resources=messagingservices/status,verbs=patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=services;configmaps,verbs=list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=postgresql.cnpg.io,resources=clusters,verbs=get;list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=postgresql.cnpg.io,resources=scheduledbackups,verbs=list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=rabbitmq.com,resources=rabbitmqclusters,verbs=get;list;watch;create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=list;watch;create;patch,namespace=spine-messaging

const (
	// changeDeadline is how long a change of the gateways may take: each may need its whole
	// grace to finish its work.
	changeDeadline = 15 * time.Minute
	// changePace is the time between deep probes while a change of the gateways goes on.
	changePace = 5 * time.Second
)

// Reconciler of MessagingServices.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Prober asks the gateways.
	Prober ports.Prober
	// Events for people.
	Events *kit.Events
	// Clock is the time; it is read once for each reconcile.
	Clock clock.PassiveClock
}

// Reconcile brings one MessagingService closer to its specification.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	service := &api.MessagingService{}
	if err := r.Client.Get(ctx, request.NamespacedName, service); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	s := newScope(r, service)
	defer func() {
		if err = errors.Join(err, s.finish(ctx)); err != nil {
			result = reconcile.Result{} // the queue's own back-off says when
		}
	}()

	var after time.Duration
	if service.DeletionTimestamp.IsZero() {
		after, err = kit.RunOrdered(ctx,
			kit.Phase{Name: "finalizer", Run: s.protect},
			kit.Phase{Name: "order", Run: s.orders},
			kit.Phase{Name: "support", Run: s.support},
			kit.Phase{Name: "observe", Run: s.observe},
			kit.Phase{Name: "site", Run: s.obey},
			kit.Phase{Name: "parts", Run: s.parts},
		)
	} else {
		// A deletion that a person forced must not wait for what cannot be observed.
		after, err = kit.RunAll(ctx,
			kit.Phase{Name: "observe", Run: s.observe},
			kit.Phase{Name: "deletion", Run: s.release},
		)
	}
	if s.stalled = kit.AsStalled(err); s.stalled == nil {
		s.failed = err
	}
	return kit.Outcome(after, err)
}

// SetupWithManager registers the controller and what it watches.
func (r *Reconciler) SetupWithManager(m ctrl.Manager) error {
	return kit.ServiceController(m, &api.MessagingService{},
		database.GVK, database.ScheduleGVK, desired.BrokerGVK, certificate.GVK,
		appsv1.SchemeGroupVersion.WithKind("Deployment"),
		corev1.SchemeGroupVersion.WithKind("Service"),
		corev1.SchemeGroupVersion.WithKind("ConfigMap"),
		networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
		policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
	).Complete(r)
}
