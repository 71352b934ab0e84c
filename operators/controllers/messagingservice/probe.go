// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// unreachable is the stage of a probe that nobody answered.
const unreachable = "gateway"

// probe asks the gateways, when it is time to: one message through the whole path, and
// the counts of the ledger.
func (s *scope) probe(ctx context.Context) (time.Duration, error) {
	if s.gatewayChild.Live == nil {
		return 0, nil
	}
	if s.resting() {
		s.service.Status.Redundancy.Astray = nil
		s.service.Status.Probe.ConsecutiveFailures = 0 // of gateways that are gone
		return 0, nil
	}
	pace := s.service.Spec.Probe.Interval.Duration
	if s.changing() {
		pace = min(pace, changePace)
	}
	if last := s.service.Status.Probe.LastTime; last != nil && s.now.Sub(last.Time) < pace && s.now.After(last.Time) {
		return pace - s.now.Sub(last.Time), nil
	}
	s.deepProbe(ctx)
	s.count(ctx)
	return pace, nil
}

// deepProbe asks any gateway, as a client would, and each ready one: a good one must not hide a bad one, nor speak for
// it, while a change goes on or while none does.
func (s *scope) deepProbe(ctx context.Context) {
	began := s.Clock.Now()
	at := metav1.NewTime(s.now)
	answers := deepprobe.Ask(ctx, s.Prober, s.service.Spec.Probe.Timeout.Duration, unreachable, s.gateways(ctx)...)
	for _, failed := range answers.Failed() {
		s.Events.Publish(probeFailed(s.service, failed))
	}
	coming := ""
	if s.changing() {
		coming = s.gateway.image
	}
	answers.Judge(&s.service.Status.Gateway, coming, at)
	answers.Keep(&s.service.Status.Probe, coming, at, s.Clock.Since(began))
}

// gateways are those to ask: any, and each that is ready.
func (s *scope) gateways(ctx context.Context) []deepprobe.Replica {
	target := ports.Target{Address: desired.OpsAddress(s.service), ServerName: desired.OpsServerName(s.service)}
	out := []deepprobe.Replica{{Target: target}}
	pods, err := s.pods(ctx)
	if err != nil {
		return out // nobody speaks for the new image then, and its change has a deadline
	}
	for _, pod := range pods {
		if kit.PodReady(&pod) && pod.Status.PodIP != "" {
			target.Address = desired.PodOpsAddress(pod.Status.PodIP)
			out = append(out, deepprobe.Replica{Target: target, Pod: pod.Name, Image: kit.PodImage(&pod)})
		}
	}
	return out
}

// count reads the ledger's counts. Without an answer the last ones stay, with their time.
func (s *scope) count(ctx context.Context) {
	astray := &s.service.Status.Redundancy.Astray
	status, err := s.ask(ctx)
	if err != nil {
		*astray = nil // nobody knows
		return
	}
	if s.databaseChild != nil {
		*astray = database.Astray(s.databaseChild.Live, status.Standbys)
		s.database = database.Observe(s.databaseChild.Live).Without(s.databaseChild.Live, *astray)
	}
	s.counted, s.replication = true, status.Replication
	b := &api.Backlog{
		Acknowledged: status.Acknowledged, Settled: status.Settled, Unsettled: status.Unsettled,
		ObservedTime: metav1.NewTime(s.now),
	}
	if status.Unsettled > 0 {
		at := metav1.NewTime(s.now.Add(-time.Duration(status.OldestUnsettledSeconds * float64(time.Second))).Truncate(time.Second))
		b.OldestTime = &at
	}
	for _, d := range status.DeadLettered {
		if d.Count > 0 && len(b.DeadLettered) < maxSuppliers {
			b.DeadLettered = append(b.DeadLettered, api.SupplierCount{Supplier: truncate(d.Supplier, 63), Count: d.Count})
		}
	}
	s.service.Status.Backlog = b
}

// maxSuppliers that the status has room for.
const maxSuppliers = 50

func (s *scope) ask(ctx context.Context) (ports.MessagingStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	var status ports.MessagingStatus
	target := ports.Target{Address: desired.OpsAddress(s.service), ServerName: desired.OpsServerName(s.service)}
	if err := s.Prober.Status(ctx, target, &status); err != nil {
		return status, err
	}
	if status.Acknowledged < 0 || status.Settled < 0 || status.Unsettled < 0 || status.OldestUnsettledSeconds < 0 {
		return status, errors.New(target.Address + " counted less than nothing")
	}
	return status, nil
}

func truncate(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
