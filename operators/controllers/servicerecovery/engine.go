// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
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
	Accepted bool            `json:"acceptUnknownLoss,omitempty"`
}

// describe says to the engine what it has to know of an operation.
func describe(o *api.ServiceRecovery) *operation.Operation {
	s := &o.Spec
	return &operation.Operation{
		Holder:  lease.Holder{Kind: Kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID},
		Created: o.CreationTimestamp.Time, Generation: o.Generation, Action: s.Action,
		Target: asked{s.Action, s.Service, s.Host, s.Part, s.Instance, s.Supplier, s.Replicas, s.AcceptUnknownLoss != nil},
		Spec:   &s.OperationSpec, Status: &o.Status,
	}
}

func (r *Reconciler) resource(o *api.ServiceRecovery) operation.Resource {
	return operation.Resource{
		Client: r.Client, Reader: r.Reader, Object: o, Events: r.Events, Clock: r.Clock, Policy: r.Policy, Trusted: ManagerUser,
		Status: func(o client.Object) *api.OperationStatus { return &o.(*api.ServiceRecovery).Status },
	}
}
