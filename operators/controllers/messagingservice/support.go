// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
)

// support makes the children whose change disturbs no member: they are always as specified.
// Network policies come first, so that no pod ever runs in the open.
func (s *scope) support(ctx context.Context) (time.Duration, error) {
	edge, err := s.addresses(ctx)
	if err != nil {
		return 0, err
	}
	config, err := desired.GatewayFiles(s.service, false)
	if err != nil {
		return 0, err
	}
	var objects []client.Object
	for _, p := range desired.NetworkPolicies(s.service) {
		objects = append(objects, p)
	}
	for _, c := range desired.Certificates(s.service, edge) {
		objects = append(objects, c)
	}
	certificates, services := desired.ForPeer(s.service, edge)
	for _, c := range certificates {
		objects = append(objects, c)
	}
	for _, service := range services {
		objects = append(objects, service)
	}
	if s.service.Spec.Database.Elsewhere() {
		objects = append(objects, desired.DatabaseEndpoint(s.service))
	}
	if s.service.Spec.Broker.Elsewhere() {
		objects = append(objects, desired.BrokerEndpoint(s.service))
	} else {
		objects = append(objects, desired.BrokerFiles(s.service), desired.BrokerBudget(s.service))
	}
	objects = append(objects, config,
		desired.ClientService(s.service), desired.OpsService(s.service), desired.GatewayBudget(s.service))
	return 0, s.children.LookAndApply(ctx, objects...)
}

// addresses records where clients reach the service, and returns the edge's addresses.
func (s *scope) addresses(ctx context.Context) ([]string, error) {
	var service corev1.Service
	key := client.ObjectKey{Namespace: s.service.Namespace, Name: desired.GatewayName(s.service)}
	if err := s.read(ctx, key, corev1.SchemeGroupVersion.WithKind("Service"), &service); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	for _, c := range service.Status.Conditions {
		if c.Status == metav1.ConditionFalse && c.Reason == common.ReasonPortTaken {
			s.portTaken = c.Message
		}
	}
	var edge []string
	s.service.Status.Addresses = nil
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		host := ingress.IP
		if host == "" {
			host = ingress.Hostname
		}
		edge = append(edge, host)
	}
	if len(edge) > 0 {
		exposure := s.service.Spec.Exposure
		s.service.Status.Addresses = []common.Address{
			{Name: "bulk", Address: hostPort(edge[0], exposure.BulkPort)},
			{Name: "mesh", Address: hostPort(edge[0], exposure.MeshPort)},
		}
	}
	return edge, nil
}
