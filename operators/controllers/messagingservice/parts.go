// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	status.CurrentImage, status.LastGoodImage, status.RejectedImage = p.Current, p.LastGood, p.Rejected
	status.StartedAt = nil
	if p.StartedAt != nil {
		at := metav1.NewTime(*p.StartedAt)
		status.StartedAt = &at
	}
}

func (s *scope) facts() rollout.Facts {
	probe := s.service.Status.Probe
	f := rollout.Facts{
		Now: s.now, Deadline: changeDeadline, Program: s.program(),
		Probe: rollout.Probe{
			Failing: probe.ConsecutiveFailures >= s.service.Spec.Probe.FailuresBeforeUnhealthy, Stage: probe.FailedStage,
		},
		Parts: []rollout.Part{
			part(quorum.Part{
				Name: desired.Database, Known: s.database.Known, Desired: s.service.Spec.Database.Instances,
				Ready: s.database.Ready, Changing: s.database.Known && !s.database.Settled,
			}, s.databaseChild),
			part(quorum.Part{
				Name: desired.Broker, Known: s.broker.Known, Desired: s.service.Spec.Broker.Replicas,
				Ready: s.broker.Ready, Changing: s.broker.Changing,
			}, s.brokerChild),
			part(quorum.Part{
				Name: desired.Gateway, Known: s.gateway.known, Desired: s.gateway.desired,
				Ready: s.gateway.available, Changing: s.gateway.known && !s.gateway.complete,
			}, s.gatewayChild),
		},
	}
	if probe.LastSuccessTime != nil {
		f.Probe.PassedAt = probe.LastSuccessTime.Time
	}
	return f
}

func part(members quorum.Part, child *kit.Child) rollout.Part {
	return rollout.Part{Part: members, Exists: child.Live != nil, Pending: child.Live != nil && child.Differs, ChangedAt: child.ChangedAt()}
}
