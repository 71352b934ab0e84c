// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// observe reads how the database and the program are, and whether they differ from what
// was asked for. It changes nothing.
func (s *scope) observe(ctx context.Context) (time.Duration, error) {
	var err error
	if s.operation, err = lease.New(s.Client).OnService(ctx, s.service.Namespace, s.service.Name); err != nil {
		return 0, err
	}
	if err := s.unhold(ctx); err != nil {
		return 0, err
	}
	if err := s.observeDatabase(ctx); err != nil {
		return 0, err
	}
	child, err := s.children.Look(ctx, desired.Deployment(s.service, s.program().Image()))
	if err == nil {
		err = s.keepProgram(child)
	}
	if err != nil {
		return 0, err
	}
	// Unstructured, as is everything else that is read: one cache for each kind.
	if s.pods, err = kit.Pods(ctx, s.Client, s.service.Namespace, desired.Selector(s.service, desired.ComponentService)); err != nil {
		return 0, err
	}
	s.observed = true
	return 0, nil
}

// unhold lets the program run again that was held for an operation which has ended, however it did.
func (s *scope) unhold(ctx context.Context) error {
	if s.operation != "" || !common.Held(s.service.Annotations) {
		return nil
	}
	s.tell(released(s.service, s.service.Annotations[common.HeldAnnotation]))
	return s.amend(ctx, func(b *booking.BookingService) bool {
		delete(b.Annotations, common.HeldAnnotation)
		return true
	})
}

// keepProgram keeps the program beside its live Deployment.
func (s *scope) keepProgram(child *kit.Child) error {
	s.programChild = child
	if child.Live == nil {
		return nil
	}
	s.deployment = &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(child.Live.Object, s.deployment); err != nil {
		return fmt.Errorf("deployment %s: %w", child.Live.GetName(), err)
	}
	return nil
}

// observeDatabase looks at the one that the operator makes. Of one that somebody else runs
// the program alone can tell.
func (s *scope) observeDatabase(ctx context.Context) error {
	if s.service.Spec.Database.Elsewhere() {
		return nil
	}
	cluster, live, err := s.cluster(ctx)
	if err != nil {
		return err
	}
	if database.KeepLater(cluster, live) {
		if err := s.children.LookAndApply(ctx, desired.DatabaseSchedule(s.service)); err != nil {
			return err
		}
	}
	if s.databaseChild, err = s.children.Look(ctx, cluster); err != nil {
		return err
	}
	if live := s.databaseChild.Live; s.service.Spec.Site != nil && live != nil {
		database.Remember(cluster, live)
		if s.databaseChild, err = s.children.Look(ctx, cluster); err != nil {
			return err
		}
		s.databaseObeys = database.Obeys(cluster, live)
	}
	s.database = database.Observe(s.databaseChild.Live).Without(s.databaseChild.Live, s.service.Status.Redundancy.Astray)
	return nil
}

// cluster is the database as it is to be, made as the live one was, beside that one; nil while there
// is none.
func (s *scope) cluster(ctx context.Context) (cluster, live *unstructured.Unstructured, err error) {
	cluster = desired.Database(s.service)
	if live, err = s.children.Live(ctx, cluster); err != nil {
		return nil, nil, err
	}
	database.KeepOrigin(cluster, live)
	return cluster, live, nil
}

// program is what is known of the images: what was asked for, and what status remembers.
func (s *scope) program() rollout.Program {
	m := s.service.Status.Service
	p := rollout.Program{
		Wanted: string(s.service.Spec.Service.Image), Current: s.current(),
		LastGood: m.LastGoodImage, Rejected: m.RejectedImage,
		Complete: complete(s.deployment),
	}
	if s.deployment != nil {
		p.Replicas = ptr.Deref(s.deployment.Spec.Replicas, 1)
	}
	switch {
	case m.StartedAt != nil:
		p.StartedAt = &m.StartedAt.Time
	case s.deployment != nil && p.Current != p.LastGood:
		// The start of this change was not recorded, or not read back yet.
		at := s.programChild.ChangedAt()
		p.StartedAt = &at
	}
	return p
}

// current is the image that the Deployment asks for; empty while there is none.
func (s *scope) current() string {
	if s.deployment == nil || len(s.deployment.Spec.Template.Spec.Containers) == 0 {
		return ""
	}
	return s.deployment.Spec.Template.Spec.Containers[0].Image
}

// complete says whether all replicas run the current template, long enough, and no other.
func complete(d *appsv1.Deployment) bool {
	if d == nil || d.Spec.Replicas == nil {
		return false
	}
	want, is := *d.Spec.Replicas, d.Status
	return is.ObservedGeneration == d.Generation && is.Replicas == want && is.UpdatedReplicas == want && is.AvailableReplicas == want
}

// available counts replicas that serve, but no more than were asked for.
func (s *scope) available() int32 {
	if s.deployment == nil {
		return 0
	}
	return min(s.deployment.Status.AvailableReplicas, desired.Replicas(s.service))
}
