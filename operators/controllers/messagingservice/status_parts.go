// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"fmt"
	"strings"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/reach"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// path of the deep probe, and where on it the engines are.
var (
	path       = []string{"ledger", "publish", "consume", "settle"}
	onDatabase = reach.Engine{Path: path, Own: []string{"ledger", "settle"}}
	onBroker   = reach.Engine{Path: path, Own: []string{"publish", "consume"}}
)

// elsewhere writes the condition of an engine that somebody else runs, by what the deep probe sees.
func (s *scope) elsewhere(c kit.Conditions, condition, unavailable, host string, e reach.Engine) {
	seen := s.service.Status.Probe
	switch reach.Judge(seen, s.service.Spec.Probe.FailuresBeforeUnhealthy, e) {
	case reach.Reached:
		c.True(condition, common.ReasonRunElsewhere, "somebody else runs it at "+host+"; messages get through it")
	case reach.Unreached:
		c.False(condition, s.unlessStarting(unavailable), fmt.Sprintf("somebody else runs it at %s; deep probes fail at %s", host, deepprobe.Where(seen)))
	default:
		c.Unknown(condition, common.ReasonRunElsewhere, "somebody else runs it at "+host+"; no gateway has probed it yet, or none answers now: their logs say what they wait for")
	}
}

func (s *scope) databaseCondition(c kit.Conditions) {
	if e := s.service.Spec.Database.Endpoint; e != nil {
		s.elsewhere(c, common.ConditionDatabase, common.ReasonDatabaseUnavailable, string(e.Host), onDatabase)
		return
	}
	d := s.database
	detail := strings.TrimSpace(string(d.Phase) + " " + d.Detail)
	switch {
	case !d.Known:
		c.Unknown(common.ConditionDatabase, s.unlessStarting(common.ReasonStateUnknown), "CloudNativePG has not said anything about it")
	case d.Available:
		c.True(common.ConditionDatabase, common.ReasonAsSpecified, fmt.Sprintf("primary %s, %d standbys", d.Primary, d.Standbys()))
	case d.Stuck:
		c.False(common.ConditionDatabase, common.ReasonDatabaseUnavailable, detail)
	default:
		c.False(common.ConditionDatabase, s.unlessStarting(common.ReasonDatabaseUnavailable),
			fmt.Sprintf("no primary with a standby that makes its writes durable: %s", detail))
	}
}

// backupCondition says whether an earlier state of the database can be had back, where that is asked for. Of a
// database that could not be looked at the word before stands.
func (s *scope) backupCondition(c kit.Conditions) {
	if s.service.Spec.Database.Backup == nil || s.databaseChild == nil {
		return
	}
	b := database.ObserveBackup(s.databaseChild.Live)
	c.Backup(b.Known, b.Failing, b.Detail, b.First)
}

func (s *scope) brokerCondition(c kit.Conditions) {
	if e := s.service.Spec.Broker.Endpoint; e != nil {
		if s.resting() {
			c.Unknown(common.ConditionBroker, common.ReasonStandingBy, "somebody else runs it at "+string(e.Host)+", and no gateway probes it here")
			return
		}
		s.elsewhere(c, common.ConditionBroker, common.ReasonBrokerUnavailable, string(e.Host), onBroker)
		return
	}
	b := s.broker
	message := strings.TrimSpace(fmt.Sprintf("%d of %d nodes are ready %s", b.Ready, b.Desired, b.Detail))
	switch {
	case !b.Known:
		c.Unknown(common.ConditionBroker, s.unlessStarting(common.ReasonStateUnknown), "the RabbitMQ cluster operator has not made its nodes "+b.Detail)
	case b.Available:
		c.True(common.ConditionBroker, common.ReasonAsSpecified, message)
	default:
		c.False(common.ConditionBroker, s.unlessStarting(common.ReasonBrokerUnavailable), message+"; a majority is needed")
	}
}

func (s *scope) gatewayCondition(c kit.Conditions) {
	g := s.gateway
	message := fmt.Sprintf("%d of %d gateways are available", g.available, desired.GatewayReplicas(s.service))
	switch {
	case s.resting():
		c.False(common.ConditionGateway, common.ReasonStandingBy, "no gateway runs: this site is "+string(s.order.Role))
	case g.available > 0:
		c.True(common.ConditionGateway, common.ReasonAsSpecified, message)
	case !g.known:
		c.Unknown(common.ConditionGateway, s.unlessStarting(common.ReasonStateUnknown), "the gateways are not deployed yet")
	default:
		c.False(common.ConditionGateway, s.unlessStarting(common.ReasonGatewayUnavailable), message)
	}
}

// backlogCondition judges the counts. What waits in an inbox within its time is no fault.
func (s *scope) backlogCondition(c kit.Conditions) {
	b := s.service.Status.Backlog
	if s.resting() {
		c.Unknown(common.ConditionBacklog, common.ReasonStandingBy, "no gateway counts it here")
		return
	}
	if b == nil {
		c.Unknown(common.ConditionBacklog, s.unlessStarting(common.ReasonStateUnknown), "the gateways have not counted it yet")
		return
	}
	age := time.Duration(0)
	if b.OldestTime != nil {
		age = s.now.Sub(b.OldestTime.Time).Truncate(time.Second)
	}
	stale := s.now.Sub(b.ObservedTime.Time)
	overdue := s.service.Spec.Backlog.OverdueAfter.Duration
	dead, suppliers := deadLetters(b)
	switch {
	case stale > time.Minute+2*s.service.Spec.Probe.Interval.Duration:
		c.Unknown(common.ConditionBacklog, common.ReasonStateUnknown, "the gateways last counted it "+stale.Truncate(time.Second).String()+" ago")
	case age > overdue:
		c.False(common.ConditionBacklog, common.ReasonBacklogOverdue, fmt.Sprintf("%d messages are unsettled, the oldest for %s, longer than %s", b.Unsettled, age, overdue))
	case dead > 0:
		c.False(common.ConditionBacklog, common.ReasonDeadLetters, fmt.Sprintf("%d dead letters of %s", dead, suppliers))
	case len(stopped(s.service)) > 0:
		c.False(common.ConditionBacklog, common.ReasonSupplierStopped, "deliveries are stopped to "+strings.Join(stopped(s.service), ", "))
	default:
		// No counts here: they change by the second, and are in status.backlog.
		c.True(common.ConditionBacklog, common.ReasonAsSpecified, "acknowledged messages are settled in time")
	}
}

func deadLetters(b *api.Backlog) (int64, string) {
	var n int64
	var names []string
	for _, d := range b.DeadLettered {
		n += d.Count
		names = append(names, d.Supplier)
	}
	return n, strings.Join(names, ", ")
}

func stopped(m *api.MessagingService) []string {
	var names []string
	for _, supplier := range desired.Suppliers(m) {
		if supplier.Traffic == api.TrafficStopped {
			names = append(names, supplier.Name)
		}
	}
	return names
}

func (s *scope) probeCondition(c kit.Conditions) {
	p, limit := s.service.Status.Probe, s.service.Spec.Probe.FailuresBeforeUnhealthy
	switch {
	case s.resting():
		c.Unknown(common.ConditionDeepProbe, common.ReasonStandingBy, "no gateway can be probed here")
	case p.LastTime == nil || p.LastSuccessTime == nil && p.ConsecutiveFailures < limit:
		c.Unknown(common.ConditionDeepProbe, common.ReasonProbePending, "no deep probe has passed yet")
	case p.ConsecutiveFailures == 0:
		c.True(common.ConditionDeepProbe, common.ReasonProbePassed, "a message got through the whole path")
	case p.ConsecutiveFailures < limit:
		c.True(common.ConditionDeepProbe, common.ReasonProbePassed, fmt.Sprintf("the last probe failed at %s; %d in a row count as an outage", deepprobe.Where(p), limit))
	default:
		c.False(common.ConditionDeepProbe, s.unlessStarting(common.ReasonProbeFailed), "probes fail at "+deepprobe.Where(p))
	}
}
