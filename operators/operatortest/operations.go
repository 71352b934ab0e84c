// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// Hold makes an operation that holds a service's lease, and returns it and what gives the
// lease back. kind is of the service: MessagingService or BookingService.
func (c *Cluster) Hold(ctx context.Context, kind, namespace, name string) (*api.ServiceRecovery, func() error, error) {
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "alice", Groups: []string{"system:masters"}}
	alice, err := client.New(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return nil, nil, err
	}
	o := &api.ServiceRecovery{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "recover-" + name},
		Spec: api.ServiceRecoverySpec{
			OperationSpec: api.OperationSpec{RequestedBy: "alice", Reason: "incident 4711"},
			Action:        api.ActionRestartRolling, Part: api.PartDatabase, Service: &api.ServiceRef{Kind: kind, Name: name},
		},
	}
	if err := alice.Create(ctx, o); err != nil {
		return nil, nil, err
	}
	leases, keys := lease.New(c.Client), []client.ObjectKey{lease.Key("service-"+name, namespace)}
	me := lease.Holder{Kind: "ServiceRecovery", Namespace: namespace, Name: o.Name, UID: o.UID}
	_, refusal, err := leases.Acquire(ctx, lease.Claim{Keys: keys, Me: me, Now: time.Now()})
	if refusal != nil {
		err = fmt.Errorf("lease %s is not free", refusal.Lease)
	}
	return o, func() error {
		return leases.Release(ctx, keys, me, func(client.ObjectKey) time.Time { return time.Time{} })
	}, err
}
