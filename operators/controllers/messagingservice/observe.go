// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// observe gathers what decisions and status rest on. What cannot be read stays unknown and
// keeps nothing else from being read.
func (s *scope) observe(ctx context.Context) (time.Duration, error) {
	return kit.RunAll(ctx,
		kit.Phase{Name: "operation", Run: s.observeOperation},
		kit.Phase{Name: "hold", Run: s.unhold},
		kit.Phase{Name: "database", Run: s.observeDatabase},
		kit.Phase{Name: "broker", Run: s.observeBroker},
		kit.Phase{Name: "gateway", Run: func(ctx context.Context) (time.Duration, error) {
			if err := s.observeGateway(ctx); err != nil {
				return 0, err
			}
			return s.probe(ctx) // needs to know which gateways there are
		}},
	)
}

func (s *scope) observeOperation(ctx context.Context) (time.Duration, error) {
	var err error
	s.operation, err = lease.New(s.Client).OnService(ctx, s.service.Namespace, s.service.Name)
	return 0, err
}

// unhold lets the gateways run again that were held for an operation which has ended, however it did.
func (s *scope) unhold(ctx context.Context) (time.Duration, error) {
	if s.operation != "" || !common.Held(s.service.Annotations) {
		return 0, nil
	}
	s.Events.Publish(released(s.service, s.service.Annotations[common.HeldAnnotation]))
	return 0, s.amend(ctx, func(m *api.MessagingService) { delete(m.Annotations, common.HeldAnnotation) })
}

func (s *scope) observeDatabase(ctx context.Context) (time.Duration, error) {
	if s.service.Spec.Database.Elsewhere() {
		return 0, nil
	}
	cluster := desired.DatabaseCluster(s.service)
	live, err := s.children.Live(ctx, cluster)
	if err != nil {
		return 0, err
	}
	database.KeepOrigin(cluster, live)
	if database.KeepLater(cluster, live) {
		if err := s.children.LookAndApply(ctx, desired.DatabaseSchedule(s.service)); err != nil {
			return 0, err
		}
	}
	child, err := s.children.Look(ctx, cluster)
	if err != nil {
		return 0, err
	}
	if s.service.Spec.Site != nil && child.Live != nil {
		database.Remember(cluster, child.Live)
		if child, err = s.children.Look(ctx, cluster); err != nil {
			return 0, err
		}
		s.databaseObeys = database.Obeys(cluster, child.Live)
	}
	s.databaseChild = child
	s.database = database.Observe(child.Live).Without(child.Live, s.service.Status.Redundancy.Astray)
	return 0, nil
}

func (s *scope) observeBroker(ctx context.Context) (time.Duration, error) {
	if s.service.Spec.Broker.Elsewhere() {
		return 0, nil
	}
	child, err := s.children.Look(ctx, desired.BrokerCluster(s.service))
	if err != nil {
		return 0, err
	}
	var nodes *appsv1.StatefulSet
	if child.Live != nil {
		nodes = &appsv1.StatefulSet{}
		key := client.ObjectKey{Namespace: s.service.Namespace, Name: desired.ServerName(desired.BrokerName(s.service))}
		err := s.read(ctx, key, appsv1.SchemeGroupVersion.WithKind("StatefulSet"), nodes)
		switch {
		case client.IgnoreNotFound(err) != nil:
			return 0, err
		case err != nil:
			nodes = nil // the operator has not made it yet
		}
	}
	s.brokerChild, s.broker = child, desired.ObserveBroker(child.Live, nodes)
	return 0, nil
}

func (s *scope) observeGateway(ctx context.Context) error {
	// Which image is wanted depends on whether the specified one was rejected.
	child, err := s.children.Look(ctx, desired.GatewayDeployment(s.service, s.program().Image()))
	if err != nil {
		return err
	}
	s.gatewayChild = child
	if child.Live == nil {
		return nil
	}
	var d appsv1.Deployment
	if err := convert(child.Live, &d); err != nil {
		return err
	}
	g := gatewayState{desired: desired.GatewayReplicas(s.service)}
	if c := d.Spec.Template.Spec.Containers; len(c) > 0 {
		g.image = c[0].Image
	}
	g.updated, g.available = d.Status.UpdatedReplicas, d.Status.AvailableReplicas
	g.known = d.Status.ObservedGeneration == d.Generation && d.Status.ObservedGeneration > 0
	g.replicas = ptr.Deref(d.Spec.Replicas, 1)
	if s.resting() {
		// The Deployment does not count pods that are on their way out; those whose processes have ended do nothing more.
		pods, err := s.pods(ctx)
		if err != nil {
			return err
		}
		for _, p := range pods {
			if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
				g.there++
			}
		}
	}
	g.complete = g.known && g.updated == g.replicas && d.Status.Replicas == g.updated && g.available == g.updated
	s.gateway = g
	return nil
}

// pods of the gateways. They are read unstructured, as is everything else: one cache for each kind.
func (s *scope) pods(ctx context.Context) ([]corev1.Pod, error) {
	return kit.Pods(ctx, s.Client, s.service.Namespace, desired.Selector(s.service, desired.Gateway))
}

// read gets a typed object by way of the one cache that holds its kind.
func (s *scope) read(ctx context.Context, key client.ObjectKey, gvk schema.GroupVersionKind, into any) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	if err := s.Client.Get(ctx, key, u); err != nil {
		return err
	}
	return convert(u, into)
}

func convert(u *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
		return errors.Join(errors.New(u.GetKind()+" "+u.GetName()), err)
	}
	return nil
}

func hostPort(host string, port int32) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
