// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// gather reads one site within the time that ctx leaves. It always returns: what could not
// be read is a problem of the site.
func (s *site) gather(ctx context.Context, now time.Time) siteStatus {
	var (
		nodes     corev1.NodeList
		messaging messagingapi.MessagingServiceList
		booking   bookingapi.BookingServiceList
		recovery  api.ServiceRecoveryList
		moves     api.FailoverList
		policies  api.FailoverPolicyList
		events    corev1.EventList
	)
	reads := []struct {
		what string
		read func() error
	}{
		{"list hosts", func() error { return s.client.List(ctx, &nodes) }},
		{"list MessagingServices", func() error { return s.listAll(ctx, &messaging) }},
		{"list BookingServices", func() error { return s.listAll(ctx, &booking) }},
		{"list ServiceRecoveries", func() error { return s.listAll(ctx, &recovery) }},
		{"list Failovers", func() error { return s.optional(ctx, &moves) }},
		{"list FailoverPolicies", func() error { return s.optional(ctx, &policies) }},
	}
	errs := make([]error, len(reads))
	var group sync.WaitGroup
	// What the manager says of hosts comes on top: whoever may not read events does without.
	group.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout/2)
		defer cancel()
		_ = s.client.List(ctx, &events, client.InNamespace(systemNamespace))
	})
	for i, r := range reads {
		group.Go(func() { errs[i] = r.read() })
	}
	group.Wait()

	out := siteStatus{Context: s.name, Server: s.server, Answers: true,
		Hosts: []hostStatus{}, Services: []serviceStatus{}, Operations: []operationLine{}, Problems: []problem{}}
	for i, err := range errs {
		if err != nil && (s.unreachable(err) || apierrors.IsUnauthorized(err)) {
			return s.dead(s.explain(err, reads[i].what))
		}
	}
	for i, err := range errs {
		if err != nil {
			out.Problems = append(out.Problems, problem{Reason: "NotReadable", Object: "site " + s.name, Message: s.explain(err, reads[i].what).Error()})
		}
	}
	if errs[0] != nil {
		out.Hosts = nil
	}
	out.hosts(nodes.Items)
	for i := range messaging.Items {
		out.messaging(&messaging.Items[i], now)
	}
	for i := range booking.Items {
		out.booking(&booking.Items[i], now)
	}
	for i := range moves.Items {
		recovery.Items = append(recovery.Items, *seen(&moves.Items[i]))
	}
	out.operations(recovery.Items, now)
	out.pair(policies.Items)
	out.warnings(events.Items, now)
	sortProblems(out.Problems)
	return out
}

// dead is the status of a site that could not be read.
func (s *site) dead(err error) siteStatus {
	return siteStatus{Context: s.name, Server: s.server, failed: err, Services: []serviceStatus{}, Operations: []operationLine{},
		Problems: []problem{{Reason: "SiteUnreachable", Object: "site " + s.name, Message: err.Error()}}}
}

// listAll lists a kind in all namespaces, or, where the caller may not, in the platform's own.
func (s *site) listAll(ctx context.Context, list client.ObjectList) error {
	err := s.client.List(ctx, list)
	if !apierrors.IsForbidden(err) {
		return err
	}
	var items []client.Object
	allowed := false
	for _, ns := range ourNamespaces {
		part := list.DeepCopyObject().(client.ObjectList)
		if e := s.client.List(ctx, part, client.InNamespace(ns)); apierrors.IsForbidden(e) {
			continue
		} else if e != nil {
			return e
		}
		allowed = true
		e := meta.EachListItem(part, func(o objectOf) error {
			items = append(items, o.(client.Object))
			return nil
		})
		if e != nil {
			return e
		}
	}
	if !allowed {
		return err
	}
	return setItems(list, items)
}

func (s *siteStatus) hosts(nodes []corev1.Node) {
	var silent []corev1.Node
	for _, n := range nodes {
		h := hostStatus{Name: n.Name, Rack: n.Labels[corev1.LabelTopologyZone], State: "NOT READY"}
		var also []string
		for _, c := range n.Status.Conditions {
			switch {
			case c.Type == corev1.NodeReady:
				h.Since = &c.LastTransitionTime
				h.Ready = c.Status == corev1.ConditionTrue
				if !h.Ready && c.Reason != "" {
					also = append(also, c.Reason)
				}
			case c.Status == corev1.ConditionTrue:
				also = append(also, string(c.Type))
				s.wrong(common.ReasonMembersMissing, "host "+n.Name, string(c.Type)+": "+c.Message, nil)
			}
		}
		if h.Ready {
			h.State = "Ready"
		} else {
			silent = append(silent, n)
		}
		if n.Spec.Unschedulable {
			also = append(also, "takes no new pods")
		}
		for _, taint := range n.Spec.Taints {
			if taint.Key == corev1.TaintNodeOutOfService {
				also = append(also, "fenced")
			}
		}
		h.State = strings.Join(append([]string{h.State}, also...), ", ")
		s.Hosts = append(s.Hosts, h)
	}
	reason := common.ReasonMembersMissing
	if len(silent) > 1 {
		reason = api.ReasonManyHostsDown
	}
	for _, n := range silent {
		message := "it has not said that it is Ready"
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady {
				message = "it is not Ready: " + c.Message
			}
		}
		s.wrong(reason, "host "+n.Name, message, nil)
	}
	slices.SortFunc(s.Hosts, func(a, b hostStatus) int { return strings.Compare(a.Name, b.Name) })
}

func (s *siteStatus) messaging(m *messagingapi.MessagingService, now time.Time) {
	line := serviceStatus{Kind: "MessagingService", Namespace: m.Namespace, Name: m.Name,
		Redundancy: m.Status.Redundancy.Summary, AtRisk: m.Status.MessagesAtRisk}
	if b := m.Status.Backlog; b != nil {
		line.Backlog, line.Oldest = &b.Unsettled, b.OldestTime
	}
	s.service(line, m, m.Status.Conditions, m.Status.Probe, m.Spec.Probe, now)
}

func (s *siteStatus) booking(b *bookingapi.BookingService, now time.Time) {
	line := serviceStatus{Kind: "BookingService", Namespace: b.Namespace, Name: b.Name,
		Redundancy: b.Status.Redundancy.Summary, AtRisk: b.Status.Loss}
	if b.Status.Sleep != nil {
		line.Sleep = b.Status.Sleep.Phase
	}
	if c := b.Status.Backlog; c != nil {
		line.Backlog, line.Oldest, line.OpenIssues = &c.OutboxPending, c.OldestTime, &c.OpenIssues
	}
	s.service(line, b, b.Status.Conditions, b.Status.Probe, b.Spec.Probe, now)
}

// operations lists those that a responder may have to do with now: real runs that have not
// ended, dry runs of the last hour, and failures of the last day that nothing has made good.
func (s *siteStatus) operations(items []api.ServiceRecovery, now time.Time) {
	slices.SortFunc(items, func(a, b api.ServiceRecovery) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	mended := map[string]bool{}
	for i := range items {
		o := &items[i]
		dry := isDryRun(o)
		key := fmt.Sprint(o.Namespace, o.Spec.Action, targetOf(o))
		switch phase := o.Status.Phase; {
		case phase == api.PhaseSucceeded:
			mended[key] = true
			continue
		case phase == api.PhaseFailed:
			ended := o.Status.EndedAt
			if mended[key] || ended == nil || now.Sub(ended.Time) > 24*time.Hour {
				continue
			}
			s.wrong(failureReason(o), o.Namespace+"/"+o.Name, "the operation failed: "+o.Status.Message, ended)
		case phase.Ended():
			continue
		case dry:
			if now.Sub(o.CreationTimestamp.Time) > time.Hour {
				continue
			}
		default:
			for _, b := range o.Status.Blockers {
				s.wrong(b.Reason, o.Namespace+"/"+o.Name, b.Message, nil)
			}
		}
		s.Operations = append(s.Operations, operationLine{
			Namespace: o.Namespace, Name: o.Name, Action: string(o.Spec.Action), Target: targetOf(o), Phase: phaseWords(o),
			DryRun: dry, Step: currentStep(o), RequestedBy: o.Spec.RequestedBy, Created: o.CreationTimestamp,
		})
	}
}
