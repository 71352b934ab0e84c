// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/reach"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// progress is how each state of a decision reads as the condition Progressing.
var progress = map[rollout.State]struct {
	status metav1.ConditionStatus
	reason string
}{
	rollout.Settled:          {metav1.ConditionFalse, common.ReasonAsSpecified},
	rollout.Progressing:      {metav1.ConditionTrue, common.ReasonChanging},
	rollout.WaitingForQuorum: {metav1.ConditionTrue, common.ReasonQuorumAtRisk},
	rollout.WaitingForFacts:  {metav1.ConditionTrue, common.ReasonStateUnknown},
	rollout.WaitingForProbe:  {metav1.ConditionTrue, common.ReasonProbeFailed},
	rollout.Operating:        {metav1.ConditionTrue, common.ReasonChanging},
	rollout.RolledBack:       {metav1.ConditionFalse, common.ReasonRolledBack},
	rollout.NoWayBack:        {metav1.ConditionFalse, common.ReasonNoWayBack},
}

// onDatabase is where on the deep probe's path the database is.
var onDatabase = reach.Engine{Path: []string{"database", "page", "book and cancel"}, Own: []string{"database", "book and cancel"}}

// sayElsewhere says of a database that somebody else runs what the deep probe sees.
func (s *scope) sayElsewhere(c kit.Conditions, host string) {
	seen := s.service.Status.Probe
	switch reach.Judge(seen, s.service.Spec.Probe.FailuresBeforeUnhealthy, onDatabase) {
	case reach.Reached:
		c.True(common.ConditionDatabase, common.ReasonRunElsewhere, "somebody else runs it at "+host+"; it accepts bookings")
	case reach.Unreached:
		c.False(common.ConditionDatabase, common.ReasonDatabaseUnavailable,
			fmt.Sprintf("somebody else runs it at %s; deep probes fail at %s", host, deepprobe.Where(seen)))
	default:
		c.Unknown(common.ConditionDatabase, common.ReasonRunElsewhere,
			"somebody else runs it at "+host+"; no replica has probed it yet, or none answers now: their logs say what they wait for")
	}
}

func (s *scope) sayDatabase(c kit.Conditions) {
	if s.observed && s.away() {
		s.sayAway(c, common.ConditionDatabase)
		return
	}
	if e := s.service.Spec.Database.Endpoint; e != nil {
		s.sayElsewhere(c, string(e.Host))
		return
	}
	db := s.database
	detail := string(db.Phase)
	if db.Detail != "" {
		detail += ": " + db.Detail
	}
	switch {
	case !s.observed:
		c.Unknown(common.ConditionDatabase, common.ReasonStateUnknown, "not observed")
	case !db.Exists:
		c.False(common.ConditionDatabase, common.ReasonStarting, "not made yet")
	case !db.Known:
		c.Unknown(common.ConditionDatabase, common.ReasonStateUnknown, "its operator has not said anything yet")
	case db.Available:
		c.True(common.ConditionDatabase, common.ReasonAsSpecified, fmt.Sprintf("%s accepts writes, %d standbys hold them", db.Primary, db.Standbys()))
	case s.service.Status.Service.LastGoodImage == "" && !db.Stuck:
		c.False(common.ConditionDatabase, common.ReasonStarting, detail)
	case db.Primary != "":
		c.False(common.ConditionDatabase, common.ReasonDatabaseUnavailable, "writes wait, as no standby is there to hold them: "+detail)
	default:
		c.False(common.ConditionDatabase, common.ReasonDatabaseUnavailable, "no primary accepts writes: "+detail)
	}
}

// sayBackup says whether an earlier state of the database can be had back, where that is asked for. Of a
// database that could not be looked at the word before stands.
func (s *scope) sayBackup(c kit.Conditions) {
	if s.service.Spec.Database.Backup == nil || s.databaseChild == nil {
		return
	}
	b := database.ObserveBackup(s.databaseChild.Live)
	c.Backup(b.Known, b.Failing, b.Detail, b.First)
}

func (s *scope) sayService(c kit.Conditions) {
	switch n := s.available(); {
	case !s.observed:
		c.Unknown(common.ConditionService, common.ReasonStateUnknown, "not observed")
	case s.away():
		s.sayAway(c, common.ConditionService)
	case s.standingBy():
		c.False(common.ConditionService, common.ReasonStandingBy, "no replica runs: this site is "+string(s.order.Role))
	case n > 0:
		c.True(common.ConditionService, common.ReasonAsSpecified, fmt.Sprintf("%d of %d replicas serve", n, desired.Replicas(s.service)))
	case s.deployment == nil || s.service.Status.Service.LastGoodImage == "":
		c.False(common.ConditionService, common.ReasonStarting, "no replica serves yet")
	default:
		c.False(common.ConditionService, common.ReasonServiceUnavailable, "no replica serves")
	}
}

// sayStalled: a person is needed.
func (s *scope) sayStalled(c kit.Conditions, err error) {
	switch d := s.decision; {
	case kit.AsStalled(err) != nil:
		c.True(common.ConditionStalled, kit.AsStalled(err).Reason, kit.AsStalled(err).Message)
	case d != nil && (d.State == rollout.RolledBack || d.State == rollout.NoWayBack):
		c.True(common.ConditionStalled, progress[d.State].reason, d.Message)
	case s.observed && s.database.Stuck:
		c.True(common.ConditionStalled, common.ReasonDatabaseUnavailable,
			fmt.Sprintf("the database's operator waits for a person: %s: %s", s.database.Phase, s.database.Detail))
	case s.portTaken != "":
		c.True(common.ConditionStalled, common.ReasonPortTaken, s.portTaken)
	default:
		c.False(common.ConditionStalled, common.ReasonNotStalled, "nothing waits for a person")
	}
}

// sayReady: the first part that keeps the service from its clients gives the reason.
func (s *scope) sayReady(c kit.Conditions) {
	switch {
	case s.standingBy():
		c.ReadyAtRest(s.order, s.service.Status.Site)
		return
	case s.observed && (s.away() || s.sleep.Phase == common.SleepFalling):
		s.sayReadyAsleep(c)
		return
	}
	for _, kind := range []string{common.ConditionDatabase, common.ConditionService, common.ConditionDeepProbe} {
		if part := c.Get(kind); part.Status != metav1.ConditionTrue {
			c.Set(common.ConditionReady, part.Status, part.Reason, kind+": "+part.Message)
			return
		}
	}
	c.True(common.ConditionReady, common.ReasonProbePassed, "people can book")
}
