// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/sleep"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	// sleepPace is when to look again at a service that falls asleep or wakes.
	sleepPace = 2 * time.Second
	// asleepPace is when to look again at one that sleeps.
	asleepPace = time.Minute
)

// doze brings the service nearer to what its specification says of sleep, by one step.
func (s *scope) doze(ctx context.Context) (time.Duration, error) {
	if s.service.Spec.Site != nil { // admission refuses sleep of a service of two sites
		s.service.Status.Sleep = nil
		return 0, nil
	}
	asked, until := s.service.Spec.Activity.Now(s.service.Spec.WorkingHours, s.service.Spec.TimeZone, s.now)
	s.sleep = sleep.Decide(s.sleepFacts(ctx, asked))
	if err := s.carryOut(ctx, s.sleep.Act); err != nil {
		return 0, err
	}
	if act := s.sleep.Act; act != sleep.None && act != sleep.RecordDrain && act != sleep.ForgetDrain {
		s.tell(changing(s.service, s.sleep.Message))
	}
	s.recordSleep(asked, until)
	var after time.Duration
	switch {
	case s.sleep.Phase == common.SleepAsleep:
		after = asleepPace
	case s.sleep.Message != "":
		after = sleepPace
	}
	if !until.IsZero() {
		after = kit.Sooner(after, until.Sub(s.now))
	}
	return after, nil
}

// carryOut does what was decided, and leaves the scope as the cluster is then.
func (s *scope) carryOut(ctx context.Context, act sleep.Act) error {
	switch act {
	case sleep.CloseEdge:
		return s.admit(ctx, booking.IntakeStopped)
	case sleep.OpenEdge:
		return s.admit(ctx, booking.IntakeOpen)
	case sleep.StopProgram:
		d := desired.Deployment(s.service, s.current())
		d.Spec.Replicas = ptr.To[int32](0)
		child, err := s.children.Look(ctx, d)
		if err != nil {
			return err
		}
		return s.applyProgram(ctx, child)
	case sleep.StartProgram:
		child, err := s.children.Look(ctx, desired.Deployment(s.service, s.program().Image()))
		if err != nil {
			return err
		}
		return s.applyProgram(ctx, child)
	case sleep.Hibernate:
		cluster, _, err := s.cluster(ctx)
		if err != nil {
			return err
		}
		database.Hibernate(cluster)
		child, err := s.children.Look(ctx, cluster)
		if err != nil {
			return err
		}
		return s.applyDatabase(ctx, child)
	case sleep.Rouse:
		return s.applyDatabase(ctx, s.databaseChild)
	}
	return nil
}

// admit tells the programs whom to let in.
func (s *scope) admit(ctx context.Context, intake booking.Intake) error {
	config, err := desired.Config(s.service, intake)
	if err != nil {
		return kit.Stalled(common.ReasonChildRefused, "the program's configuration would be refused: %v", err)
	}
	return s.children.LookAndApply(ctx, config)
}

func (s *scope) applyProgram(ctx context.Context, child *kit.Child) error {
	if err := s.children.Apply(ctx, child); err != nil {
		return err
	}
	return s.keepProgram(child)
}

func (s *scope) applyDatabase(ctx context.Context, child *kit.Child) error {
	if err := s.children.Apply(ctx, child); err != nil {
		return err
	}
	s.databaseChild = child
	return nil
}

// sleepFacts are what was observed, and what the replicas say where a step waits for that.
func (s *scope) sleepFacts(ctx context.Context, asked common.Activity) sleep.Facts {
	status := s.before.Status.Sleep
	f := sleep.Facts{
		Asked: asked, Was: common.SleepPhaseOf(status), Operation: s.operation,
		Edge:     sleep.Edge{Closed: s.edgeClosed},
		Database: sleep.Database{Elsewhere: s.service.Spec.Database.Elsewhere()},
	}
	if s.databaseChild != nil && s.databaseChild.Live != nil {
		live := s.databaseChild.Live
		f.Database.Exists, f.Database.Writable = true, s.database.Available
		f.Database.Hibernating, f.Database.Hibernated = database.Hibernating(live), database.Hibernated(live)
	}
	if d := s.deployment; d != nil {
		f.Program = sleep.Program{
			Exists: true, Known: d.Status.ObservedGeneration == d.Generation,
			Asked: ptr.Deref(d.Spec.Replicas, 1), There: int32(len(s.unfinished())), Serving: d.Status.AvailableReplicas,
		}
		f.Program.Drained = status != nil && status.DrainedTime != nil
		f.Program.Proved = s.provedSince(s.programChild.ChangedAt(), status)
	}
	s.askReplicas(ctx, &f)
	return f
}

// provedSince says whether the deep probe has passed since the program was started, and, of a
// service that wakes, since that began.
func (s *scope) provedSince(started time.Time, status *common.SleepStatus) bool {
	seen := s.service.Status.Probe
	if seen.ConsecutiveFailures > 0 || seen.LastSuccessTime == nil {
		return false
	}
	if common.SleepPhaseOf(status) == common.SleepWaking && !seen.LastSuccessTime.After(status.Since.Time) {
		return false
	}
	return seen.LastSuccessTime.After(started)
}

// askReplicas asks each replica itself: any of them must not answer for the others.
func (s *scope) askReplicas(ctx context.Context, f *sleep.Facts) {
	switch falling := f.Asked == common.ActivityAsleep; {
	case falling && f.Edge.Closed && f.Program.Asked > 0 && !f.Program.Drained && !f.Database.Hibernating:
		for _, p := range s.unfinished() {
			if p.Status.PodIP == "" {
				continue // it has not begun
			}
			is, err := s.statusOf(ctx, desired.PodOpsAddress(p.Status.PodIP))
			if err != nil || is.Intake != string(booking.IntakeStopped) || is.InFlight > 0 {
				f.Edge.Admitting = append(f.Edge.Admitting, p.Name)
			}
		}
		if len(f.Edge.Admitting) == 0 && s.recount(ctx) == nil {
			f.Program.Outbox = &s.service.Status.Backlog.OutboxPending
		}
	case !falling && !f.Edge.Closed && f.Was != common.SleepAwake:
		for _, one := range s.replicas() {
			if one.Pod == "" || one.Image != s.current() {
				continue
			}
			if is, err := s.statusOf(ctx, one.Address); err != nil || is.Intake == string(booking.IntakeStopped) {
				f.Edge.Refusing = append(f.Edge.Refusing, one.Address)
			}
		}
	}
}

// unfinished are the program's pods that are there, those that go included: one of them may
// still finish a request. What is left of an evicted one does nothing any more.
func (s *scope) unfinished() []corev1.Pod {
	var out []corev1.Pod
	for _, p := range s.pods {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			out = append(out, p)
		}
	}
	return out
}

func (s *scope) statusOf(ctx context.Context, address string) (ports.BookingStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	var is ports.BookingStatus
	err := s.Prober.Status(ctx, ports.Target{Address: address, ServerName: desired.OpsServerName(s.service)}, &is)
	return is, err
}
