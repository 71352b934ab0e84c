// SPDX-License-Identifier: Apache-2.0

// Package edge gives the site's edge address to the Services of type LoadBalancer that
// ask for it by class. Every node then serves that address on the Services' ports, and
// whichever node holds the address receives.
package edge

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=list;watch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=services/status,verbs=patch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=spine-messaging
// +kubebuilder:rbac:groups="",resources=services,verbs=list;watch,namespace=spine-booking
// +kubebuilder:rbac:groups="",resources=services/status,verbs=patch,namespace=spine-booking
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=spine-booking

// Condition of a Service that says whether it has the edge address.
const Condition = "spine.nhs.uk/EdgeAddress"

// reasonAssigned of Condition.
const reasonAssigned = "Assigned"

// Reconciler of Services of the edge's class.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Address of the edge.
	Address netip.Addr
	// Events for people.
	Events *kit.Events
	// Clock is the time of conditions.
	Clock clock.PassiveClock
}

// Reconcile gives one Service the address, or says who has its port already.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var services corev1.ServiceList
	if err := r.Client.List(ctx, &services); err != nil {
		return reconcile.Result{}, err
	}
	var service *corev1.Service
	for i := range services.Items {
		if client.ObjectKeyFromObject(&services.Items[i]) == request.NamespacedName {
			service = services.Items[i].DeepCopy()
		}
	}
	if service == nil || !wants(service) || !service.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	before := service.DeepCopy()
	c := kit.NewConditions(&service.Status.Conditions, service.Generation, r.Clock.Now())
	if other, port := taken(service, services.Items); other != nil {
		message := fmt.Sprintf("port %d of the edge address belongs to Service %s/%s: choose another port", port, other.Namespace, other.Name)
		service.Status.LoadBalancer = corev1.LoadBalancerStatus{}
		c.False(Condition, common.ReasonPortTaken, message)
		r.Events.Publish(portTaken(service, message))
	} else {
		service.Status.LoadBalancer = corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{
			{IP: r.Address.String(), IPMode: ptr.To(corev1.LoadBalancerIPModeVIP)},
		}}
		c.True(Condition, reasonAssigned, "the edge address is served on every port of this Service")
	}
	return reconcile.Result{}, kit.PatchStatus(ctx, r.Client, before, service)
}

func portTaken(service *corev1.Service, message string) kit.Event {
	return kit.Event{Object: service, Type: corev1.EventTypeWarning, Reason: common.ReasonPortTaken, Message: message}
}

func wants(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && ptr.Deref(s.Spec.LoadBalancerClass, "") == common.EdgeLoadBalancerClass
}

// taken returns the older Service that has one of the ports already, and the port. Of two
// that were made in the same second, the first by name counts as older.
func taken(service *corev1.Service, all []corev1.Service) (*corev1.Service, int32) {
	for i := range all {
		other := &all[i]
		if !wants(other) || !other.DeletionTimestamp.IsZero() || !older(other, service) {
			continue
		}
		for _, mine := range service.Spec.Ports {
			for _, theirs := range other.Spec.Ports {
				if mine.Port == theirs.Port && mine.Protocol == theirs.Protocol {
					return other, mine.Port
				}
			}
		}
	}
	return nil, 0
}

func older(a, b *corev1.Service) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name
}

// SetupWithManager registers the controller. A Service that changes or goes may free a
// port for any other, so each event looks at all of them.
func (r *Reconciler) SetupWithManager(m ctrl.Manager) error {
	edges := predicate.NewPredicateFuncs(func(o client.Object) bool {
		s, ok := o.(*corev1.Service)
		return ok && wants(s)
	})
	all := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		var services corev1.ServiceList
		if err := r.Client.List(ctx, &services); err != nil {
			return nil // the cache answers once it is filled
		}
		var out []reconcile.Request
		for _, s := range services.Items {
			if wants(&s) {
				out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.Namespace, Name: s.Name}})
			}
		}
		return out
	})
	return ctrl.NewControllerManagedBy(m).Named("edge").
		Watches(&corev1.Service{}, all, builder.WithPredicates(edges)).
		Complete(r)
}
