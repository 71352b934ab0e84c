// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/ports"
)

// target is the service that an operation is on, with the names of its parts.
type target struct {
	// ref and object are the service itself.
	ref    recovery.Object
	object client.Object
	// database is the name of the Cluster, broker of the RabbitmqCluster (empty where there is
	// none), program of the Deployment.
	database, broker, program string
	// part is the name of the program's part, and pods are the labels of its pods.
	part string
	pods map[string]string
	// ops is where any replica of the program answers, and podOps one by its pod's address.
	ops    ports.Target
	podOps func(ip string) string
	// instances of the database and nodes of the broker that there have to be; replicas of
	// the program by the specification, by it and by operations, and at most (0: no limit).
	instances, nodes              int32
	specified, replicas, capacity int32
	// elsewhere are the hosts of engines that somebody else runs, by the names of their parts.
	elsewhere map[string]string
	// asleep: the service is to be asleep. sleep is how far it is between awake and asleep.
	asleep bool
	sleep  common.SleepPhase
	// patience with one answer of the program.
	patience time.Duration
	// site of the specification, nil where there is one only, atSite what the service says of it, and acknowledge what has
	// to hold a piece of work by the specification.
	site        *common.SiteSpec
	atSite      *common.SiteStatus
	acknowledge common.Acknowledge
	// suppliers of the specification.
	suppliers []messagingapi.Supplier
}

// databaseConnections that the replicas may open together; the resource's schema has the same.
const databaseConnections = 160

// target finds the operation's service; nil when there is none of that name.
func (r *Reconciler) target(ctx context.Context, o *api.ServiceRecovery) (*target, error) {
	key := client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.Service.Name}
	var t *target
	if o.Spec.Service.Kind == "BookingService" {
		var b bookingapi.BookingService
		if err := r.Reader.Get(ctx, key, &b); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		t = bookingTarget(&b)
	} else {
		var m messagingapi.MessagingService
		if err := r.Reader.Get(ctx, key, &m); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		t = messagingTarget(&m)
	}
	t.ref = recovery.Object{Kind: o.Spec.Service.Kind, Namespace: key.Namespace, Name: key.Name, UID: string(t.object.GetUID())}
	return t, nil
}

func messagingTarget(m *messagingapi.MessagingService) *target {
	t := &target{
		object:   m,
		database: messaging.DatabaseName(m), broker: messaging.BrokerName(m), program: messaging.GatewayName(m),
		part: messaging.Gateway, pods: messaging.Selector(m, messaging.Gateway),
		ops:    ports.Target{Address: messaging.OpsAddress(m), ServerName: messaging.OpsServerName(m)},
		podOps: messaging.PodOpsAddress, instances: m.Spec.Database.Members(), nodes: m.Spec.Broker.Members(),
		specified: m.Spec.Gateway.Replicas, replicas: messaging.GatewayReplicas(m), capacity: common.MaxReplicas,
		patience: m.Spec.Probe.Timeout.Duration, suppliers: m.Spec.Suppliers, elsewhere: map[string]string{},
		site: m.Spec.Site, atSite: m.Status.Site, acknowledge: m.Spec.Acknowledge, sleep: common.SleepAwake,
	}
	if e := m.Spec.Database.Endpoint; e != nil {
		t.elsewhere[recovery.Database] = string(e.Host)
	}
	if e := m.Spec.Broker.Endpoint; e != nil {
		t.elsewhere[recovery.Broker] = string(e.Host)
	}
	return t
}

func bookingTarget(b *bookingapi.BookingService) *target {
	t := &target{
		object:   b,
		database: booking.DatabaseName(b), program: booking.ServiceName(b),
		part: booking.ComponentService, pods: booking.Selector(b, booking.ComponentService),
		ops:    ports.Target{Address: booking.OpsAddress(b), ServerName: booking.OpsServerName(b)},
		podOps: booking.PodOpsAddress, instances: b.Spec.Database.Members(),
		specified: b.Spec.Service.Replicas, replicas: booking.Replicas(b),
		capacity: databaseConnections / max(1, b.Spec.Capacity.DatabaseConnections),
		patience: b.Spec.Probe.Timeout.Duration, elsewhere: map[string]string{},
		asleep: common.ToSleep(b.Spec.Activity, b.Status.Sleep), sleep: common.SleepPhaseOf(b.Status.Sleep),
		site: b.Spec.Site, atSite: b.Status.Site, acknowledge: b.Spec.Acknowledge,
	}
	if e := b.Spec.Database.Endpoint; e != nil {
		t.elsewhere[recovery.Database] = string(e.Host)
	}
	return t
}
