// SPDX-License-Identifier: Apache-2.0

// Package failover keeps or takes a site's right to serve (Policy), and carries Failovers out
// (Reconciler). One manager at each site does; each works while the other site is dead.
package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	// SystemNamespace is where the policy, Failovers and the manager are.
	SystemNamespace = lease.SystemNamespace
	// ManagerUser is the manager's own name as the API server knows it.
	ManagerUser = "system:serviceaccount:spine-system:spine-manager"
)

// paired is a service of this site that fails over with the others, as it is now.
type paired struct {
	// name as Kind/namespace/name.
	name   string
	object client.Object
	// site and acknowledge of its specification, order by its annotations, status of its site
	// (empty while it says nothing).
	site        *common.SiteSpec
	acknowledge common.Acknowledge
	order       common.SiteOrder
	status      common.SiteStatus
	// booking tells the two kinds apart.
	booking bool
	// ops is where any replica of its program answers, peer where the other site's is probed.
	ops, peer ports.Target
	// pods are the labels of its program's, podOps where one of them answers.
	pods   client.MatchingLabels
	podOps func(ip string) string
	// patience with one answer of its program.
	patience time.Duration
}

// services of the policy at this site, uncached. One that is missing, or is at one site only,
// is an error: nothing is decided without it.
func services(ctx context.Context, c client.Reader, policy *api.FailoverPolicy) ([]*paired, error) {
	var out []*paired
	var errs []error
	for _, s := range policy.Spec.Services {
		p, err := read(ctx, c, s)
		if err == nil {
			err = p.fits(policy)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s/%s: %w", s.Kind, s.Namespace, s.Name, err))
			continue
		}
		p.peer = ports.Target{Address: s.PeerProbe, ServerName: p.ops.ServerName}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

func read(ctx context.Context, c client.Reader, s api.PairedService) (*paired, error) {
	key := client.ObjectKey{Namespace: s.Namespace, Name: s.Name}
	p := &paired{name: s.Kind + "/" + s.Namespace + "/" + s.Name, booking: s.Kind == "BookingService"}
	var status *common.SiteStatus
	if p.booking {
		b := &bookingapi.BookingService{}
		if err := c.Get(ctx, key, b); err != nil {
			return nil, err
		}
		p.object, p.site, p.acknowledge, status = b, b.Spec.Site, b.Spec.Acknowledge, b.Status.Site
		p.ops = ports.Target{Address: booking.OpsAddress(b), ServerName: booking.OpsServerName(b)}
		p.pods, p.podOps, p.patience = booking.Selector(b, booking.ComponentService), booking.PodOpsAddress, b.Spec.Probe.Timeout.Duration
	} else {
		m := &messagingapi.MessagingService{}
		if err := c.Get(ctx, key, m); err != nil {
			return nil, err
		}
		p.object, p.site, p.acknowledge, status = m, m.Spec.Site, m.Spec.Acknowledge, m.Status.Site
		p.ops = ports.Target{Address: messaging.OpsAddress(m), ServerName: messaging.OpsServerName(m)}
		p.pods, p.podOps, p.patience = messaging.Selector(m, messaging.Gateway), messaging.PodOpsAddress, m.Spec.Probe.Timeout.Duration
	}
	if status != nil {
		p.status = *status
	}
	var err error
	p.order, err = common.Order(p.object.GetAnnotations(), p.site)
	return p, err
}

// fits says what is wrong between a service and the policy.
func (p *paired) fits(policy *api.FailoverPolicy) error {
	switch {
	case p.site == nil:
		return errors.New("spec.site is missing: expected where the service and its other half are")
	case p.site.Name != policy.Spec.Site || p.site.Peer.Name != policy.Spec.Peer:
		return fmt.Errorf("spec.site names %s and %s: expected %s and %s, as the FailoverPolicy has it",
			p.site.Name, p.site.Peer.Name, policy.Spec.Site, policy.Spec.Peer)
	}
	return nil
}

// done says that the service has brought its order about.
func (p *paired) done() bool {
	return p.status.Role == p.order.Role && p.status.Epoch == p.order.Epoch
}

// count asks the program for acknowledged, unprocessed work; -1: nobody answered.
func (p *paired) count(ctx context.Context, prober ports.Prober) int64 {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	if p.booking {
		var s ports.BookingStatus
		if err := prober.Status(ctx, p.ops, &s); err != nil {
			return -1
		}
		return s.OutboxPending
	}
	var s ports.MessagingStatus
	if err := prober.Status(ctx, p.ops, &s); err != nil {
		return -1
	}
	return s.Unsettled
}

// observe asks the program how the other site follows: the service's status may be older than
// a vote's term. Without an answer that stays.
func (p *paired) observe(ctx context.Context, prober ports.Prober) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var s struct {
		Replication *ports.ReplicationStatus `json:"replication"`
	}
	if err := prober.Status(ctx, p.ops, &s); err != nil {
		return
	}
	if p.status.Replication = nil; s.Replication != nil {
		p.status.Replication = s.Replication.Site()
	}
}

// member is what plans know of it.
func (p *paired) member() decide.Member {
	m := decide.Member{Service: p.name, Role: p.status.Role, Ready: p.status.Ready, Lacks: p.status.Lacks}
	if m.Lacks == "" {
		m.Lacks = "what it needs; it does not say what"
	}
	return m
}

// whole is one order that stands for all: the least safe role, the oldest epoch. They differ
// only after a manager was killed between two writes.
func whole(all []*paired) common.SiteOrder {
	rank := map[common.SiteRole]int{common.SiteStandby: 0, common.SiteQuiesced: 1, common.SiteActive: 2}
	out := all[0].order
	for _, p := range all[1:] {
		if rank[p.order.Role] > rank[out.Role] {
			out.Role = p.order.Role
		}
		out.Epoch, out.Alone = min(out.Epoch, p.order.Epoch), out.Alone || p.order.Alone
	}
	out.PromotionToken = ""
	return out
}

// every says that something holds for each service.
func every(all []*paired, holds func(*paired) bool) bool {
	for _, p := range all {
		if !holds(p) {
			return false
		}
	}
	return true
}
