// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/site"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
)

// siteRecheck is when to look again at an order that is not brought about.
const siteRecheck = time.Second

// orders reads what the site's manager wants of this service. What makes no sense changes
// nothing.
func (s *scope) orders(context.Context) (time.Duration, error) {
	var err error
	if s.order, err = common.Order(s.service.Annotations, s.service.Spec.Site); err != nil {
		return 0, kit.Stalled(common.ReasonStateUnknown, "nothing is changed: %v", err)
	}
	return 0, nil
}

// obey follows the order, whatever else is under way at the service.
func (s *scope) obey(ctx context.Context) (time.Duration, error) {
	if s.service.Spec.Site == nil {
		s.service.Status.Site = nil
		return 0, nil
	}
	d := site.Decide(s.siteFacts())
	if d.ApplyProgram {
		child, err := s.children.Look(ctx, desired.GatewayDeployment(s.service, s.program().Image()))
		if err == nil {
			err = s.children.Apply(ctx, child)
		}
		if err != nil {
			return 0, err
		}
		s.gatewayChild = child
		s.Events.Publish(applied(s.service, desired.Gateway, string(s.order.Role)+" at this site"))
	}
	if d.ApplyDatabase {
		if err := s.children.Apply(ctx, s.databaseChild); err != nil {
			return 0, err
		}
		s.Events.Publish(applied(s.service, desired.Database, string(s.order.Role)+" at this site"))
	}
	s.recordSite(d)
	var err error
	s.takeover, err = kit.Takeover(ctx, s.Client)
	if d.Message != "" {
		return siteRecheck, err
	}
	return 0, err
}

func (s *scope) siteFacts() site.Facts {
	f := site.Facts{Order: s.order, Database: site.Database{Obeys: s.databaseObeys}, Program: site.Program{
		Exists: s.gatewayChild.Live != nil, Known: s.gateway.known, Asked: s.gateway.replicas, There: s.gateway.there, Serving: s.gateway.available,
	}}
	if live := s.databaseChild.Live; live != nil {
		f.Database.Exists = true
		f.Database.Follows, f.Database.Writable = database.Follows(live), database.Writable(live)
	}
	return f
}

// recordSite says what of the order is brought about.
func (s *scope) recordSite(d site.Decision) {
	status := &common.SiteStatus{Role: d.Brought}
	if before := s.service.Status.Site; before != nil {
		status.Epoch, status.Acknowledge, status.Replication = before.Epoch, before.Acknowledge, before.Replication
	}
	if s.replication != nil {
		status.Replication = s.replication.Site()
	}
	if d.Brought == common.SiteStandby {
		status.Replication = nil // it is for the site that serves to say
	}
	if d.Brought != "" {
		status.Epoch, status.Acknowledge = s.order.Epoch, common.InForce(s.service.Spec.Acknowledge, s.order)
	}
	if live := s.databaseChild.Live; live != nil && d.Brought == common.SiteStandby {
		status.DemotionToken = database.DemotionToken(live)
	}
	status.Ready, status.Lacks = s.able()
	s.service.Status.Site = status
}

// able says whether all that it takes to serve here is here, and if not, what is missing.
func (s *scope) able() (bool, string) {
	switch {
	case s.database.Ready < s.service.Spec.Database.Members():
		return false, "the database lacks members"
	case s.broker.Ready < s.service.Spec.Broker.Members():
		return false, "the broker lacks members"
	case s.gatewayChild.Live == nil:
		return false, "the gateways have never been made"
	}
	return true, ""
}
