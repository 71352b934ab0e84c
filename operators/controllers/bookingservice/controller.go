// SPDX-License-Identifier: Apache-2.0

// Package bookingservice brings a BookingService about: its database, then the program,
// one member at a time, watched by a deep probe; and says how it is.
package bookingservice

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// +kubebuilder:rbac:groups=booking.ers.nhs.uk,namespace=spine-booking,resources=bookingservices,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=booking.ers.nhs.uk,namespace=spine-booking,resources=bookingservices/status,verbs=patch
// +kubebuilder:rbac:groups=postgresql.cnpg.io,namespace=spine-booking,resources=clusters,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=postgresql.cnpg.io,namespace=spine-booking,resources=scheduledbackups,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=cert-manager.io,namespace=spine-booking,resources=certificates,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=apps,namespace=spine-booking,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=policy,namespace=spine-booking,resources=poddisruptionbudgets,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,namespace=spine-booking,resources=networkpolicies,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups="",namespace=spine-booking,resources=configmaps,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups="",namespace=spine-booking,resources=services,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups="",namespace=spine-booking,resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=spine-booking,resources=events,verbs=create;patch

// Reconciler of BookingServices.
type Reconciler struct {
	// Client reads from the cache, also unstructured objects, and writes.
	Client client.Client
	// Prober asks the program.
	Prober ports.Prober
	// Events are told to people.
	Events *kit.Events
	// Clock is read once for each look, and around each probe.
	Clock clock.PassiveClock
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	b := &booking.BookingService{}
	if err := r.Client.Get(ctx, request.NamespacedName, b); err != nil {
		return result, client.IgnoreNotFound(err)
	}
	s := r.newScope(b)
	defer func() { result, err = r.finish(ctx, s, err) }()
	if b.DeletionTimestamp != nil {
		return result, r.run(ctx, s, kit.Phase{Name: "deletion", Run: s.release})
	}
	return result, r.run(ctx, s,
		kit.Phase{Name: "finalizer", Run: s.hold},
		kit.Phase{Name: "order", Run: s.orders},
		kit.Phase{Name: "surroundings", Run: s.surround},
		kit.Phase{Name: "observation", Run: s.observe},
		kit.Phase{Name: "site", Run: s.obey},
		kit.Phase{Name: "sleep", Run: s.doze},
		kit.Phase{Name: "probe", Run: s.probe},
		kit.Phase{Name: "backlog", Run: s.count},
		kit.Phase{Name: "change", Run: s.change},
	)
}

// run runs the phases in order: each builds on the one before.
func (r *Reconciler) run(ctx context.Context, s *scope, phases ...kit.Phase) error {
	after, err := kit.RunOrdered(ctx, phases...)
	s.after = kit.Sooner(s.after, after)
	return err
}

// finish writes the status, whatever happened, and says when to look again.
func (r *Reconciler) finish(ctx context.Context, s *scope, err error) (reconcile.Result, error) {
	s.summarize(err)
	if !s.released {
		err = errors.Join(err, kit.PatchStatus(ctx, r.Client, s.before, s.service))
	}
	r.Events.Publish(s.events...)
	return kit.Outcome(s.after, err)
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(m ctrl.Manager) error {
	return kit.ServiceController(m, &booking.BookingService{},
		database.GVK, database.ScheduleGVK, certificate.GVK,
		appsv1.SchemeGroupVersion.WithKind("Deployment"),
		policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
		networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
		corev1.SchemeGroupVersion.WithKind("ConfigMap"),
		corev1.SchemeGroupVersion.WithKind("Service"),
	).Complete(r)
}
