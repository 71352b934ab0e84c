// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
)

// changeTime is how long one replica's change may take: pulling, starting, the time that
// it must serve, and the drain of the one before it.
const changeTime = 4 * time.Minute

// change brings about what is not as specified, one part at a time, or takes back what
// does not work.
func (s *scope) change(ctx context.Context) (time.Duration, error) {
	if s.sleep.Hold {
		return 0, nil
	}
	d := rollout.Decide(s.facts())
	s.decision = &d
	if slices.Contains(d.Apply, desired.ComponentDatabase) {
		if err := s.children.Apply(ctx, s.databaseChild); err != nil {
			return d.RecheckAfter, err
		}
		s.tell(changing(s.service, "database"))
	}
	if slices.Contains(d.Apply, desired.ComponentService) {
		child, err := s.children.Look(ctx, desired.Deployment(s.service, d.Program.Current))
		if err == nil {
			err = s.children.Apply(ctx, child)
		}
		if err != nil {
			return d.RecheckAfter, err
		}
		s.tell(changing(s.service, "service, image "+d.Program.Current))
	}
	s.remember(d.Program)
	return d.RecheckAfter, nil
}

func (s *scope) facts() rollout.Facts {
	replicas := desired.Replicas(s.service)
	program := s.program()
	memory := s.service.Status.Probe
	probe := rollout.Probe{Failing: s.failing(), Stage: memory.FailedStage}
	if memory.LastSuccessTime != nil {
		probe.PassedAt = memory.LastSuccessTime.Time
	}
	seen := s.service.Status.Service
	image := rollout.Probe{Failing: seen.ProbeFailures >= s.service.Spec.Probe.FailuresBeforeUnhealthy, Stage: memory.FailedStage}
	// The last word counts: a pass before a failure is no longer one.
	if seen.ProbePassedTime != nil && seen.ProbeFailures == 0 {
		image.PassedAt = seen.ProbePassedTime.Time
	}
	f := rollout.Facts{
		Now: s.now, Operation: s.operation, Resting: s.standingBy(),
		Deadline: time.Duration(replicas) * changeTime,
		Program:  program,
		Probe:    probe,
		Image:    image,
	}
	// A database that somebody else runs is not for this operator to change, nor to count.
	if !s.service.Spec.Database.Elsewhere() {
		f.Parts = append(f.Parts, rollout.Part{
			Part: quorum.Part{
				Name: desired.ComponentDatabase, Known: s.database.Known,
				Desired: s.database.Desired, Ready: s.database.Ready, Changing: !s.database.Settled,
			},
			Exists: s.database.Exists, Pending: s.databaseChild.Differs, ChangedAt: s.databaseChild.ChangedAt(),
		})
	}
	f.Parts = append(f.Parts, rollout.Part{
		Part: quorum.Part{
			Name: desired.ComponentService, Known: s.deployment != nil,
			Desired: replicas, Ready: s.available(), Changing: !program.Complete,
		},
		Exists: s.deployment != nil, Pending: s.programChild.Differs, ChangedAt: s.programChild.ChangedAt(),
	})
	return f
}

// remember keeps what is known of images for the next look.
func (s *scope) remember(p rollout.Program) {
	before := s.service.Status.Service
	now := common.RolloutStatus{CurrentImage: p.Current, LastGoodImage: p.LastGood, RejectedImage: p.Rejected}
	if p.StartedAt != nil {
		at := metav1.NewTime(*p.StartedAt)
		now.StartedAt = &at
		if before.StartedAt != nil && before.StartedAt.Equal(&at) {
			// What was seen in another change says nothing about this one.
			now.ProbePassedTime, now.ProbeFailures = before.ProbePassedTime, before.ProbeFailures
		}
	}
	if p.Rejected != "" && p.Rejected != before.RejectedImage {
		s.tell(rolledBack(s.service, p.Rejected, p.LastGood))
	}
	s.service.Status.Service = now
}
