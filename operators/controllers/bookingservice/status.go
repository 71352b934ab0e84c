// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"fmt"
	"strings"
	"time"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// staleAfter is how many intervals may pass before a count is no longer believed.
const staleAfter = 3

// summarize writes every condition and count, from whatever the phases found before one
// of them failed.
func (s *scope) summarize(err error) {
	c := kit.NewConditions(&s.service.Status.Conditions, s.service.Generation, s.now)
	s.sayDatabase(c)
	s.sayBackup(c)
	s.sayService(c)
	s.sayRedundancy(c)
	s.sayBacklog(c)
	s.sayProbe(c)
	s.sayProgress(c, err)
	s.sayStalled(c, err)
	s.sayReady(c)
	c.Copy(s.takeover)
	if s.service.DeletionTimestamp == nil && s.concluded(err) {
		s.service.Status.ObservedGeneration = s.service.Generation
	}
}

// concluded says whether the specification was brought about or given up: who waits for the
// generation waits for the change, and not for its start.
func (s *scope) concluded(err error) bool {
	switch {
	case err == nil && s.sleep.Phase == common.SleepAsleep:
		return true
	case err != nil || s.decision == nil:
		return kit.AsStalled(err) != nil
	case s.sleep.Phase == common.SleepWaking:
		return false
	}
	switch s.decision.State {
	case rollout.Settled, rollout.RolledBack, rollout.NoWayBack:
		return true
	}
	return false
}

func (s *scope) sayRedundancy(c kit.Conditions) {
	status := &s.service.Status
	if !s.observed {
		status.Redundancy, status.Loss = common.Redundancy{}, booking.LossUnknown
		c.Unknown(common.ConditionRedundancy, common.ReasonStateUnknown, "not observed")
		return
	}
	db, replicas, serving := s.database, desired.Replicas(s.service), s.available()
	astray := status.Redundancy.Astray
	elsewhere := s.service.Spec.Database.Elsewhere()
	status.Redundancy = common.Redundancy{Workload: &serving, Astray: astray}
	dbText := fmt.Sprintf("?/%d db", s.service.Spec.Database.Members())
	switch {
	case elsewhere:
		dbText = "db elsewhere"
	case db.Known:
		status.Redundancy.Database = &db.Ready
		dbText = fmt.Sprintf("%d/%d db", db.Ready, s.service.Spec.Database.Members())
	}
	status.Redundancy.Summary = fmt.Sprintf("%s, %d/%d service", dbText, serving, replicas)
	switch {
	case s.away():
		// What was committed is on the same disks as before.
	case elsewhere:
		status.Loss = booking.LossNone // no engine that may be run elsewhere acknowledges a commit on one disk
	case !db.Known || db.Primary == "":
		status.Loss = booking.LossUnknown
	case db.Standbys() == 0:
		status.Loss = booking.LossWritesStopped
	default:
		status.Loss = booking.LossNone
	}
	switch {
	case s.away():
		s.sayAway(c, common.ConditionRedundancy)
	case !elsewhere && !db.Exists || s.deployment == nil:
		c.False(common.ConditionRedundancy, common.ReasonStarting, status.Redundancy.Summary)
	case !elsewhere && !db.Known:
		c.Unknown(common.ConditionRedundancy, common.ReasonStateUnknown, status.Redundancy.Summary)
	case db.Ready < s.service.Spec.Database.Members() || serving < replicas:
		text := status.Redundancy.Summary
		if len(astray) > 0 {
			text += ": " + strings.Join(astray, " and ") + " of the database ready, and not following its primary (RebuildReplica mends that)"
		}
		c.False(common.ConditionRedundancy, common.ReasonMembersMissing, text)
	default:
		c.True(common.ConditionRedundancy, common.ReasonAsSpecified, status.Redundancy.Summary)
	}
}

func (s *scope) sayBacklog(c kit.Conditions) {
	held, limits := s.service.Status.Backlog, s.service.Spec.Backlog
	switch {
	case s.away():
		s.sayAway(c, common.ConditionBacklog)
		return
	case s.standingBy():
		c.Unknown(common.ConditionBacklog, common.ReasonStandingBy, "no replica counts it here")
		return
	}
	if held == nil {
		c.Unknown(common.ConditionBacklog, common.ReasonProbePending, "not counted yet")
		return
	}
	text := fmt.Sprintf("%d events not yet sent, %d open appointment-slot issues", held.OutboxPending, held.OpenIssues)
	switch {
	case s.now.Sub(held.ObservedTime.Time) > staleAfter*s.service.Spec.Probe.Interval.Duration:
		c.Unknown(common.ConditionBacklog, common.ReasonStateUnknown,
			fmt.Sprintf("nobody could tell since %s; then, %s", held.ObservedTime.UTC().Format(time.RFC3339), text))
	case held.OldestTime != nil && s.now.Sub(held.OldestTime.Time) > time.Duration(limits.OutboxOverdueMinutes)*time.Minute:
		c.False(common.ConditionBacklog, common.ReasonBacklogOverdue,
			fmt.Sprintf("%s; the oldest event waits since %s", text, held.OldestTime.UTC().Format(time.RFC3339)))
	case limits.OpenIssues != nil && held.OpenIssues > int64(*limits.OpenIssues):
		c.False(common.ConditionBacklog, common.ReasonBacklogOverdue, fmt.Sprintf("%s, of which at most %d are planned for", text, *limits.OpenIssues))
	default:
		c.True(common.ConditionBacklog, common.ReasonAsSpecified, text)
	}
}

func (s *scope) sayProbe(c kit.Conditions) {
	m := s.service.Status.Probe
	failed := fmt.Sprintf("%d probes in a row failed, the last at %s", m.ConsecutiveFailures, deepprobe.Where(m))
	switch {
	case s.away():
		s.sayAway(c, common.ConditionDeepProbe)
	case s.standingBy():
		c.Unknown(common.ConditionDeepProbe, common.ReasonStandingBy, "no replica can be probed here")
	case m.LastTime == nil:
		c.Unknown(common.ConditionDeepProbe, common.ReasonProbePending, "no probe has run yet")
	case s.failing():
		c.False(common.ConditionDeepProbe, common.ReasonProbeFailed, failed)
	case m.ConsecutiveFailures > 0 && m.LastSuccessTime == nil:
		c.Unknown(common.ConditionDeepProbe, common.ReasonProbePending, failed)
	case m.ConsecutiveFailures > 0:
		// Too few to say otherwise: what was said before stays, as does its time.
		before := c.Get(common.ConditionDeepProbe)
		c.Set(common.ConditionDeepProbe, before.Status, before.Reason, before.Message)
	default:
		c.True(common.ConditionDeepProbe, common.ReasonProbePassed, "a booking was made and undone")
	}
}

func (s *scope) sayProgress(c kit.Conditions, err error) {
	switch d := s.decision; {
	case s.service.DeletionTimestamp != nil:
		c.True(common.ConditionProgressing, common.ReasonDeleting, "the service is being deleted")
	case kit.AsStalled(err) != nil:
		c.False(common.ConditionProgressing, kit.AsStalled(err).Reason, err.Error())
	case err == nil && s.dozing():
		s.sayDozing(c)
	case err != nil || d == nil:
		c.Unknown(common.ConditionProgressing, common.ReasonStateUnknown, fmt.Sprintf("tried again soon: %v", err))
	default:
		said := progress[d.State]
		reason := said.reason
		if d.State == rollout.Progressing && s.service.Status.Service.LastGoodImage == "" {
			reason = common.ReasonStarting
		}
		message := d.Message
		if message == "" {
			message = "everything is as specified"
		}
		c.Set(common.ConditionProgressing, said.status, reason, message)
	}
}
