// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
)

// parts brings database, broker and gateways to their specification, as far as that may
// be done now.
func (s *scope) parts(ctx context.Context) (time.Duration, error) {
	d := rollout.Decide(s.facts())
	s.decision = &d
	for _, name := range d.Apply {
		child := s.databaseChild
		switch name {
		case desired.Broker:
			child = s.brokerChild
		case desired.Gateway:
			var err error
			// A way back asks for another image than the one that was looked at.
			if child, err = s.children.Look(ctx, desired.GatewayDeployment(s.service, d.Program.Current)); err != nil {
				return 0, err
			}
		}
		if err := s.children.Apply(ctx, child); err != nil {
			return 0, err
		}
		s.Events.Publish(applied(s.service, name, d.Message))
	}
	s.record(d.Program)
	return d.RecheckAfter, nil
}

// record keeps where the gateways stand. It follows the apply: a start that is not recorded
// is found again by the Deployment's image.
func (s *scope) record(p rollout.Program) {
	status := &s.service.Status.Gateway
	if p.LastGood != status.LastGoodImage && p.StartedAt == nil {
		s.Events.Publish(imageGood(s.service, p.LastGood))
	}
	next := common.RolloutStatus{CurrentImage: p.Current, LastGoodImage: p.LastGood, RejectedImage: p.Rejected}
	if p.StartedAt != nil {
		at := metav1.NewTime(*p.StartedAt)
		next.StartedAt = &at
		if status.StartedAt != nil && status.StartedAt.Equal(&at) {
			// What was seen in another change says nothing about this one.
			next.ProbePassedTime, next.ProbeFailures = status.ProbePassedTime, status.ProbeFailures
		}
	}
	*status = next
}

func (s *scope) facts() rollout.Facts {
	probe, image := s.service.Status.Probe, s.service.Status.Gateway
	limit := s.service.Spec.Probe.FailuresBeforeUnhealthy
	f := rollout.Facts{
		Now: s.now, Deadline: changeDeadline, Program: s.program(), Operation: s.operation,
		Resting: s.resting(),
		Probe: rollout.Probe{
			Failing: probe.ConsecutiveFailures >= limit, Stage: probe.FailedStage,
		},
		Image: rollout.Probe{Failing: image.ProbeFailures >= limit, Stage: probe.FailedStage},
	}
	// An engine that somebody else runs is not for this operator to change, nor to count.
	if !s.service.Spec.Database.Elsewhere() {
		f.Parts = append(f.Parts, part(quorum.Part{
			Name: desired.Database, Known: s.database.Known, Desired: s.service.Spec.Database.Members(),
			Ready: s.database.Ready, Changing: s.database.Known && !s.database.Settled,
		}, s.databaseChild))
	}
	if !s.service.Spec.Broker.Elsewhere() {
		f.Parts = append(f.Parts, part(quorum.Part{
			Name: desired.Broker, Known: s.broker.Known, Desired: s.service.Spec.Broker.Members(),
			Ready: s.broker.Ready, Changing: s.broker.Changing,
		}, s.brokerChild))
	}
	f.Parts = append(f.Parts, part(quorum.Part{
		Name: desired.Gateway, Known: s.gateway.known, Desired: s.gateway.desired,
		Ready: s.gateway.available, Changing: s.gateway.known && !s.gateway.complete,
	}, s.gatewayChild))
	if probe.LastSuccessTime != nil {
		f.Probe.PassedAt = probe.LastSuccessTime.Time
	}
	// The last word counts: a pass before a failure is no longer one.
	if image.ProbePassedTime != nil && image.ProbeFailures == 0 {
		f.Image.PassedAt = image.ProbePassedTime.Time
	}
	return f
}

func part(members quorum.Part, child *kit.Child) rollout.Part {
	return rollout.Part{Part: members, Exists: child.Live != nil, Pending: child.Live != nil && child.Differs, ChangedAt: child.ChangedAt()}
}
