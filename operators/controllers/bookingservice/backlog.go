// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/ports"
)

// count asks what was accepted and is not done, at the pace of the probe. Figures from
// before stay when nobody answers; their time says how old they are.
func (s *scope) count(ctx context.Context) (time.Duration, error) {
	if s.deployment == nil || s.resting() {
		s.service.Status.Redundancy.Astray = nil
		return 0, nil
	}
	pace := s.service.Spec.Probe.Interval.Duration
	if last := s.service.Status.Backlog; last != nil {
		if wait := last.ObservedTime.Add(pace).Sub(s.now); wait > 0 {
			return wait, nil
		}
	}
	// The condition says it when nobody has answered for long; changes go on.
	if err := s.recount(ctx); err != nil {
		s.tell(uncounted(s.service, err))
	}
	return pace, nil
}

// recount asks now.
func (s *scope) recount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	var is ports.BookingStatus
	astray := &s.service.Status.Redundancy.Astray
	target := ports.Target{Address: desired.OpsAddress(s.service), ServerName: desired.OpsServerName(s.service)}
	if err := s.Prober.Status(ctx, target, &is); err != nil {
		*astray = nil // nobody knows
		return err
	}
	if is.Bookings < 0 || is.Referrals < 0 || is.OutboxPending < 0 || is.ASIOpen < 0 {
		return &ports.AnswerError{Target: target, Problem: "/statusz with a count below zero"}
	}
	backlog := &booking.Backlog{
		OutboxPending: is.OutboxPending, OpenIssues: is.ASIOpen, Bookings: is.Bookings, Referrals: is.Referrals,
		ObservedTime: metav1.NewTime(s.now),
	}
	if is.OutboxPending > 0 {
		oldest := metav1.NewTime(s.now.Add(-time.Duration(is.OutboxOldestSeconds * float64(time.Second))))
		backlog.OldestTime = &oldest
	}
	s.service.Status.Backlog = backlog
	if s.observed && s.databaseChild != nil && s.databaseChild.Live != nil {
		live := s.databaseChild.Live
		*astray = database.Astray(live, is.Standbys)
		s.database = database.Observe(live).Without(live, *astray)
	}
	s.recordReplication(is.Replication)
	return nil
}
