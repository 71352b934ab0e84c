// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"time"

	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/site"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// siteRecheck is when to look again at an order that is not brought about.
const siteRecheck = time.Second

// standingBy says that the program is not to run at this site.
func (s *scope) standingBy() bool { return s.order.Role != "" && s.order.Role != common.SiteActive }

// resting says that the program is not to run, or not yet, at this site or at this time.
func (s *scope) resting() bool { return s.standingBy() || s.stopped() }

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
		child, err := s.children.Look(ctx, desired.Deployment(s.service, s.program().Image()))
		if err == nil {
			err = s.children.Apply(ctx, child)
		}
		if err != nil {
			return 0, err
		}
		s.programChild = child
		s.tell(changing(s.service, "service: "+string(s.order.Role)+" at this site"))
	}
	if d.ApplyDatabase {
		if err := s.children.Apply(ctx, s.databaseChild); err != nil {
			return 0, err
		}
		s.tell(changing(s.service, "database: "+string(s.order.Role)+" at this site"))
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
	f := site.Facts{Order: s.order, Database: site.Database{Obeys: s.databaseObeys}, Program: site.Program{}}
	if d := s.deployment; d != nil {
		f.Program = site.Program{
			Exists: true, Known: d.Status.ObservedGeneration == d.Generation,
			Asked: ptr.Deref(d.Spec.Replicas, 1), There: int32(len(s.unfinished())), Serving: d.Status.AvailableReplicas,
		}
	}
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

// recordReplication keeps what the program has just said of the other site's database.
func (s *scope) recordReplication(is *ports.ReplicationStatus) {
	if s.service.Status.Site != nil && is != nil {
		s.service.Status.Site.Replication = is.Site()
	}
}

// able says whether all that it takes to serve here is here, and if not, what is missing.
func (s *scope) able() (bool, string) {
	switch {
	case s.database.Ready < s.service.Spec.Database.Members():
		return false, "the database lacks members"
	case s.deployment == nil:
		return false, "the program has never been made"
	}
	return true, ""
}
