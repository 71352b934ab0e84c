// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/kit"
)

// surround makes what the database and the program stand in. Nothing of it restarts
// anything. Policies come first: nothing shall run before its doors are closed.
func (s *scope) surround(ctx context.Context) (time.Duration, error) {
	b := s.service
	for _, p := range desired.NetworkPolicies(b) {
		if err := s.children.LookAndApply(ctx, p); err != nil {
			return 0, err
		}
	}
	if err := s.configure(ctx); err != nil {
		return 0, err
	}
	if err := s.expose(ctx); err != nil {
		return 0, err
	}
	certificates, services := desired.ForPeer(b, s.loadBalancer)
	for _, c := range certificates {
		if err := s.children.LookAndApply(ctx, c); err != nil {
			return 0, err
		}
	}
	for _, service := range services {
		if err := s.children.LookAndApply(ctx, service); err != nil {
			return 0, err
		}
	}
	if b.Spec.Database.Elsewhere() {
		if err := s.children.LookAndApply(ctx, desired.DatabaseEndpoint(b)); err != nil {
			return 0, err
		}
	}
	return 0, s.children.LookAndApply(ctx, desired.Ops(b), desired.Budget(b),
		desired.ServerCertificate(b, s.loadBalancer), desired.GatewayClientCertificate(b))
}

// configure writes the program's configuration. Where it lets nobody in, it goes on to: only
// sleep opens the edge again.
func (s *scope) configure(ctx context.Context) error {
	open, err := desired.Config(s.service, booking.IntakeOpen)
	if err != nil {
		return kit.Stalled(common.ReasonChildRefused, "the program's configuration would be refused: %v", err)
	}
	child, err := s.children.Look(ctx, open)
	if err != nil {
		return err
	}
	if s.edgeClosed = stops(child.Live); s.edgeClosed {
		return s.admit(ctx, booking.IntakeStopped)
	}
	return s.children.Apply(ctx, child)
}

// stops says whether a live configuration lets nobody in. One that cannot be read lets them in.
func stops(config *unstructured.Unstructured) bool {
	if config == nil {
		return false
	}
	text, _, _ := unstructured.NestedString(config.Object, "data", desired.ConfigKey)
	c, err := booking.ParseServiceConfig([]byte(text))
	return err == nil && c.Intake == booking.IntakeStopped
}

// expose makes the Service and reads which addresses it was given.
func (s *scope) expose(ctx context.Context) error {
	child, err := s.children.Look(ctx, desired.Service(s.service))
	if err != nil {
		return err
	}
	if err := s.children.Apply(ctx, child); err != nil {
		return err
	}
	var live corev1.Service
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(child.Live.Object, &live); err != nil {
		return fmt.Errorf("service %s: %w", child.Live.GetName(), err)
	}
	for _, c := range live.Status.Conditions {
		if c.Status == metav1.ConditionFalse && c.Reason == common.ReasonPortTaken {
			s.portTaken = c.Message
		}
	}
	for _, given := range live.Status.LoadBalancer.Ingress {
		s.loadBalancer = append(s.loadBalancer, cmp.Or(given.IP, given.Hostname))
	}
	s.service.Status.Addresses = nil
	if len(s.loadBalancer) > 0 {
		s.service.Status.Addresses = []common.Address{{
			Name: "api", Address: fmt.Sprintf("%s:%d", s.loadBalancer[0], s.service.Spec.Exposure.Port),
		}}
	}
	return nil
}
