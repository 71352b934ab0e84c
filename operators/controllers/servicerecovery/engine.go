// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// Kind of the operations here, as leases and approvals name it.
const Kind = "ServiceRecovery"

// asked is what of a specification a plan's digest covers.
type asked struct {
	Action   api.Action      `json:"action"`
	Service  *api.ServiceRef `json:"service,omitempty"`
	Host     string          `json:"host,omitempty"`
	Part     api.Part        `json:"part,omitempty"`
	Instance string          `json:"instance,omitempty"`
	Supplier string          `json:"supplier,omitempty"`
	Replicas int32           `json:"replicas,omitempty"`
}

// describe says to the engine what it has to know of an operation.
func describe(o *api.ServiceRecovery) *operation.Operation {
	s := &o.Spec
	return &operation.Operation{
		Holder:  lease.Holder{Kind: Kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID},
		Created: o.CreationTimestamp.Time, Generation: o.Generation, Action: s.Action,
		Target: asked{s.Action, s.Service, s.Host, s.Part, s.Instance, s.Supplier, s.Replicas},
		Spec:   &s.OperationSpec, Status: &o.Status,
	}
}

func (r *Reconciler) engine(o *api.ServiceRecovery) *operation.Engine {
	e := operation.New()
	e.Store = &store{client: r.Client, reader: r.Reader, object: o, read: o.DeepCopy()}
	e.Leases = lease.New(r.Client)
	e.Approvals = func(ctx context.Context, namespace string) ([]api.Approval, error) {
		var list api.ApprovalList
		err := r.Reader.List(ctx, &list, client.InNamespace(namespace))
		return list.Items, err
	}
	e.Policy, e.Trusted, e.Now = r.Policy, ManagerUser, r.Clock.Now
	e.Tell = func(n operation.News) {
		kind := corev1.EventTypeNormal
		if n.Warning {
			kind = corev1.EventTypeWarning
		}
		r.Events.Publish(kit.Event{Object: o, Type: kind, Reason: n.Reason, Message: n.Message})
	}
	return e
}

// store keeps one ServiceRecovery's status.
type store struct {
	client client.Client
	reader client.Reader
	// object as it is worked on, and as it was last read or written.
	object, read *api.ServiceRecovery
}

// Save implements operation.Store.
func (s *store) Save(ctx context.Context, _ *operation.Operation) error {
	if equality.Semantic.DeepEqual(s.read.Status, s.object.Status) {
		return nil
	}
	wanted := s.object.Status
	patch := client.MergeFromWithOptions(s.read, client.MergeFromWithOptimisticLock{})
	if err := s.client.Status().Patch(ctx, s.object, patch, client.FieldOwner(kit.FieldOwner)); err != nil {
		s.object.Status = wanted
		return fmt.Errorf("status of %s: %w", s.object.Name, err)
	}
	s.read = s.object.DeepCopy()
	return nil
}

// Reload implements operation.Store.
func (s *store) Reload(ctx context.Context, o *operation.Operation) error {
	fresh := &api.ServiceRecovery{}
	if err := s.reader.Get(ctx, client.ObjectKeyFromObject(s.object), fresh); err != nil {
		return err
	}
	fresh.DeepCopyInto(s.object)
	s.read, o.Generation = fresh, fresh.Generation
	return nil
}
