// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// conflictPace is the time before what another writer changed meanwhile is read again.
const conflictPace = 200 * time.Millisecond

// Resource is a resource that is an operation, with what an engine needs to run it.
type Resource struct {
	// Client writes (and reads Leases as they are), Reader reads without a cache.
	Client client.Client
	Reader client.Reader
	// Object is the operation as it was read, and Status what of it the engine records.
	Object client.Object
	Status func(client.Object) *api.OperationStatus
	// Events for people, Clock, the environment's Policy, and the manager's own user name.
	Events  *kit.Events
	Clock   clock.PassiveClock
	Policy  api.OperationsConfig
	Trusted string
}

// Advance carries the operation on as far as it goes now.
func (r Resource) Advance(ctx context.Context, o *Operation, a Action) (reconcile.Result, error) {
	after, err := r.engine().Advance(ctx, o, a)
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return reconcile.Result{RequeueAfter: conflictPace}, nil
	case apierrors.IsNotFound(err):
		return reconcile.Result{}, nil // it was deleted
	}
	return reconcile.Result{RequeueAfter: after}, err
}

func (r Resource) engine() *Engine {
	e := New()
	e.Store = &store{Resource: r, read: r.Object.DeepCopyObject().(client.Object)}
	e.Leases = lease.New(r.Client)
	e.Approvals = func(ctx context.Context, namespace string) ([]api.Approval, error) {
		var list api.ApprovalList
		err := r.Reader.List(ctx, &list, client.InNamespace(namespace))
		return list.Items, err
	}
	e.Policy, e.Trusted, e.Now = r.Policy, r.Trusted, r.Clock.Now
	e.Tell = func(n News) {
		kind := corev1.EventTypeNormal
		if n.Warning {
			kind = corev1.EventTypeWarning
		}
		r.Events.Publish(kit.Event{Object: r.Object, Type: kind, Reason: n.Reason, Message: n.Message})
	}
	return e
}

// store keeps the status of one operation in its resource.
type store struct {
	Resource
	// read is the operation as it was last read or written.
	read client.Object
}

// Save implements Store.
func (s *store) Save(ctx context.Context, _ *Operation) error {
	status := s.Status(s.Object)
	if equality.Semantic.DeepEqual(s.Status(s.read), status) {
		return nil
	}
	wanted := status.DeepCopy()
	patch := client.MergeFromWithOptions(s.read, client.MergeFromWithOptimisticLock{})
	if err := s.Client.Status().Patch(ctx, s.Object, patch, client.FieldOwner(kit.FieldOwner)); err != nil {
		wanted.DeepCopyInto(status)
		return fmt.Errorf("status of %s: %w", s.Object.GetName(), err)
	}
	s.read = s.Object.DeepCopyObject().(client.Object)
	return nil
}

// Reload implements Store.
func (s *store) Reload(ctx context.Context, o *Operation) error {
	if err := s.Reader.Get(ctx, client.ObjectKeyFromObject(s.Object), s.Object); err != nil {
		return err
	}
	s.read, o.Generation = s.Object.DeepCopyObject().(client.Object), s.Object.GetGeneration()
	return nil
}
