// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// kindFailover is the kind of operation that is no ServiceRecovery.
const kindFailover = "Failover"

// kindOf an operation.
func kindOf(o *api.ServiceRecovery) string {
	if o.Kind == kindFailover {
		return kindFailover
	}
	return "ServiceRecovery"
}

// seen shows a Failover as the screens show every operation: they need what all kinds have,
// the action in a word and the target's name, which is the site that is to serve.
func seen(f *api.Failover) *api.ServiceRecovery {
	o := &api.ServiceRecovery{ObjectMeta: f.ObjectMeta, Status: f.Status}
	o.Kind = kindFailover
	o.Spec.OperationSpec, o.Spec.Host = f.Spec.OperationSpec, string(f.Spec.To)
	o.Spec.Action = api.ActionPlannedFailover
	if f.Spec.Mode == api.FailoverUnplanned {
		o.Spec.Action = api.ActionUnplannedFailover
	}
	return o
}

// read an operation of a kind.
func (s *site) read(ctx context.Context, kind string, key client.ObjectKey) (*api.ServiceRecovery, error) {
	if kind == kindFailover {
		f := &api.Failover{}
		if err := s.client.Get(ctx, key, f); err != nil {
			return nil, err
		}
		return seen(f), nil
	}
	o := &api.ServiceRecovery{}
	return o, s.client.Get(ctx, key, o)
}

// finalMove writes a Failover as it is, not as the screens see it.
func (a *app) finalMove(o *api.ServiceRecovery) error {
	s, err := a.connect("")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	f := &api.Failover{}
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(o), f); err != nil {
		return s.explain(err, "read operation "+o.Namespace+"/"+o.Name)
	}
	f.APIVersion, f.Kind, f.ManagedFields = api.GroupVersion.String(), kindFailover, nil
	return a.encode(a.out, a.output, f)
}

// operations of all kinds that there are at the site.
func (s *site) operations(ctx context.Context) ([]api.ServiceRecovery, error) {
	var recoveries api.ServiceRecoveryList
	if err := s.listAll(ctx, &recoveries); err != nil {
		return nil, s.explain(err, "list ServiceRecoveries")
	}
	var moves api.FailoverList
	if err := s.listAll(ctx, &moves); err != nil && !kindMissing(err) {
		return nil, s.explain(err, "list Failovers")
	}
	for i := range moves.Items {
		recoveries.Items = append(recoveries.Items, *seen(&moves.Items[i]))
	}
	return recoveries.Items, nil
}

// listOf the kind of an operation, to watch.
func listOf(o *api.ServiceRecovery) client.ObjectList {
	if kindOf(o) == kindFailover {
		return &api.FailoverList{}
	}
	return &api.ServiceRecoveryList{}
}
