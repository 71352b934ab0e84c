// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/rollout"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
)

// finish computes the status and writes it, however the phases ended.
func (s *scope) finish(ctx context.Context) error {
	status := &s.service.Status
	c := kit.NewConditions(&status.Conditions, s.service.Generation, s.now)
	s.redundancy(c)
	s.risk()
	s.databaseCondition(c)
	s.backupCondition(c)
	s.brokerCondition(c)
	s.gatewayCondition(c)
	s.backlogCondition(c)
	s.probeCondition(c)
	s.progress(c)
	s.ready(c)
	c.Copy(s.takeover)
	for _, after := range status.Conditions {
		before := meta.FindStatusCondition(s.before.Status.Conditions, after.Type)
		if before == nil {
			before = &metav1.Condition{}
		}
		if before.Status != after.Status {
			s.Events.Publish(conditionChanged(s.service, *before, after))
		}
	}
	return kit.PatchStatus(ctx, s.Client, s.before, s.service)
}

// redundancy counts members of every part.
func (s *scope) redundancy(c kit.Conditions) {
	r := &s.service.Status.Redundancy
	*r = common.Redundancy{Astray: r.Astray}
	var words, missing, unknown []string
	count := func(short, name string, known bool, ready, wanted int32) *int32 {
		if !known {
			words, unknown = append(words, fmt.Sprintf("?/%d %s", wanted, short)), append(unknown, name)
			return nil
		}
		words = append(words, fmt.Sprintf("%d/%d %s", ready, wanted, short))
		if ready < wanted {
			missing = append(missing, fmt.Sprintf("%s has %d of %d members", name, ready, wanted))
		}
		return ptr.To(ready)
	}
	spec := s.service.Spec
	if len(r.Astray) > 0 {
		missing = append(missing, strings.Join(r.Astray, " and ")+" of the database: ready, and not following its primary (RebuildReplica mends that)")
	}
	if spec.Database.Elsewhere() {
		words = append(words, "db elsewhere")
	} else {
		r.Database = count("db", "the database", s.database.Known, s.database.Ready, spec.Database.Members())
	}
	if spec.Broker.Elsewhere() {
		words = append(words, "broker elsewhere")
	} else {
		r.Broker = count("broker", "the broker", s.broker.Known, s.broker.Ready, spec.Broker.Members())
	}
	r.Workload = count("gateway", "the gateway", s.gateway.known, s.gateway.available, desired.GatewayReplicas(s.service))
	r.Summary = strings.Join(words, ", ")
	switch {
	case len(missing) > 0:
		c.False(common.ConditionRedundancy, s.unlessStarting(common.ReasonMembersMissing), strings.Join(missing, ", "))
	case len(unknown) > 0:
		c.Unknown(common.ConditionRedundancy, s.unlessStarting(common.ReasonStateUnknown), "the state of "+strings.Join(unknown, " and ")+" is not known")
	default:
		c.True(common.ConditionRedundancy, common.ReasonAsSpecified, r.Summary)
	}
}

// risk says how many messages stand on one disk only.
func (s *scope) risk() {
	status := &s.service.Status
	switch {
	case s.service.Spec.Database.Elsewhere():
		status.MessagesAtRisk = "0" // no engine that may be run elsewhere acknowledges a commit on one disk
	case s.database.Known && s.database.Standbys() > 0, status.Backlog == nil && status.Gateway.CurrentImage == "":
		status.MessagesAtRisk = "0"
	case s.database.Known && s.database.Primary != "" && status.Backlog != nil:
		status.MessagesAtRisk = strconv.FormatInt(status.Backlog.Unsettled, 10)
	default:
		status.MessagesAtRisk = "unknown"
	}
}

// unlessStarting is the reason, or Starting until the service has worked for the first time.
func (s *scope) unlessStarting(reason string) string {
	if s.service.Status.Gateway.LastGoodImage == "" {
		return common.ReasonStarting
	}
	return reason
}

// progress writes Progressing and Stalled, and the observed generation once that generation
// is brought about or given up.
func (s *scope) progress(c kit.Conditions) {
	stalled := s.stalled
	if d := s.decision; d != nil && stalled == nil {
		switch d.State {
		case rollout.RolledBack:
			stalled = &kit.StalledError{Reason: common.ReasonRolledBack, Message: d.Message}
		case rollout.NoWayBack:
			stalled = &kit.StalledError{Reason: common.ReasonNoWayBack, Message: d.Message}
		}
	}
	if stalled != nil {
		c.True(common.ConditionStalled, stalled.Reason, stalled.Message)
		c.False(common.ConditionProgressing, stalled.Reason, stalled.Message)
		s.service.Status.ObservedGeneration = s.service.Generation
		return
	}
	c.False(common.ConditionStalled, common.ReasonNotStalled, "")
	if s.portTaken != "" {
		// Everything else goes on: only the way in from outside waits for a person.
		c.True(common.ConditionStalled, common.ReasonPortTaken, s.portTaken)
	}
	switch d := s.decision; {
	case s.failed != nil:
		c.True(common.ConditionProgressing, common.ReasonStateUnknown, "tried again: "+oneLine(s.failed))
	case !s.service.DeletionTimestamp.IsZero():
		c.True(common.ConditionProgressing, common.ReasonDeleting, "new messages are refused; the service goes once every gateway knows that and nothing is unsettled")
	case d == nil:
		c.Unknown(common.ConditionProgressing, common.ReasonStateUnknown, "")
	case d.State == rollout.Settled:
		c.False(common.ConditionProgressing, common.ReasonAsSpecified, "")
		s.service.Status.ObservedGeneration = s.service.Generation
	case d.State == rollout.WaitingForQuorum:
		c.True(common.ConditionProgressing, common.ReasonQuorumAtRisk, d.Message)
	case d.State == rollout.WaitingForFacts:
		c.True(common.ConditionProgressing, common.ReasonStateUnknown, d.Message)
	case d.State == rollout.WaitingForProbe:
		c.True(common.ConditionProgressing, common.ReasonProbeFailed, d.Message)
	default:
		c.True(common.ConditionProgressing, s.unlessStarting(common.ReasonChanging), d.Message)
	}
}

// ready is the word of the deep probe, which alone knows whether clients are served.
func (s *scope) ready(c kit.Conditions) {
	if s.resting() {
		c.ReadyAtRest(s.order, s.service.Status.Site)
		return
	}
	if probe := c.Get(common.ConditionDeepProbe); probe.Status == metav1.ConditionTrue {
		c.True(common.ConditionReady, common.ReasonAsSpecified, "messages get through the whole path")
		return
	}
	for _, part := range []string{common.ConditionDatabase, common.ConditionBroker, common.ConditionGateway, common.ConditionDeepProbe} {
		if p := c.Get(part); p.Status != metav1.ConditionTrue {
			c.False(common.ConditionReady, p.Reason, part+": "+p.Message)
			return
		}
	}
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(errors.Join(err).Error()), " ")
}
