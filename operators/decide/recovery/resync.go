// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/failover"
)

// Steps of ResyncStandby.
const (
	StepStandBy        = "stand-by"
	StepDeleteDatabase = "delete-database"
	StepCopyDatabase   = "copy-database"
)

// Resync is what ResyncStandby rests on.
type Resync struct {
	Service
	// Object of the service, which carries its order.
	Object Object
	// Site and Peer are the sites' names; empty where there is one site only.
	Site, Peer string
	// Now is the time by this site's clock, Vote what its manager last read of the witness, and Term how long a vote holds:
	// the manager reads several times in one.
	Now  time.Time
	Vote api.SiteVote
	Term time.Duration
	// Order of the service at this site; Done says that it is brought about.
	Order common.SiteOrder
	Done  bool
	// Acknowledge is what had to hold a piece of work by the service's specification.
	Acknowledge common.Acknowledge
	// Accepted says that a person accepts the loss of what nobody can name.
	Accepted bool
	// Whole says that the database here is a follower, and no member of it is missing.
	Whole bool
	// There is what the service says of itself at the other site; nil: that site does not answer.
	There *common.SiteStatus
	// Cluster is the database, with an empty UID when there is none; Doomed are its pods and volumes.
	Cluster Object
	Doomed  []Object
}

// PlanResync throws the database of a site that does not serve away, and has it copied from the site that does.
func PlanResync(f Resync) Decision {
	switch {
	case f.Elsewhere[Database] != "":
		return f.notOurs(Database)
	case f.Site == "":
		return blocked(api.ReasonNotApplicable, "%s is at one site only (it has no spec.site): there is nothing that its database could follow", f.Service)
	}
	if b := f.Held(); len(b) > 0 {
		return blocked(b[0].Reason, "%s", b[0].Message)
	}
	if f.follows() {
		// Senders may wait for it: what follows is not thrown away.
		what := "no member is missing: there is nothing to do"
		if !f.Whole {
			what = "a member is missing: RebuildReplica copies a standby of it anew"
		}
		return blocked(api.ReasonNotApplicable, "the database of %s at site %s follows site %s, and %s", f.Service, f.Site, f.Peer, what)
	}
	doomed := f.Doomed
	if f.Cluster.UID != "" {
		doomed = append([]Object{f.Cluster}, doomed...)
	}
	d := plan(fmt.Sprintf("throw the database of %s at site %s away with its data, and copy the one of site %s, which serves; clients see nothing of it", f.Service, f.Site, f.Peer),
		append(append(inputs(f.Object), inputs(doomed...)...), "serves: "+f.Peer, "at stake: "+f.stake()),
		api.PlannedStep{
			Name: StepStandBy, Summary: fmt.Sprintf("give %s the role of a standby of site %s", f.Service, f.Peer),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 120,
		},
		api.PlannedStep{
			Name: StepDeleteDatabase, Summary: fmt.Sprintf("delete its database at site %s: %s", f.Site, Count(len(doomed), "object", "objects")),
			Touches: touches(doomed...), Destructive: true, Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 600,
		},
		api.PlannedStep{
			Name: StepCopyDatabase, Summary: fmt.Sprintf("wait until CloudNativePG has copied the database of site %s, it follows, and every member is ready", f.Peer),
			Touches: touches(f.Cluster), Repeatable: true,
			// The longest: a copy of the whole database over the link, and from there to each member.
			ExpectedSeconds: 180, TimeoutSeconds: 4 * 3600,
		},
	)
	d.Plan.PointOfNoReturn = StepStandBy
	if f.Risky() {
		d.Plan.PredictedLoss = api.Loss{Messages: -1, Seconds: -1}
	}
	return d
}

// Held says what keeps the database here from being thrown away now.
func (f Resync) Held() []api.Blocker {
	if b := f.unsettled("is made a standby anew", "thrown away"); b != nil {
		return b
	}
	if f.Risky() && !f.Accepted {
		return []api.Blocker{blocker(api.ReasonWorkAtRisk, "%s acknowledged at site %s without waiting for site %s, and its database here may hold what nobody else has: CompareSites lists that; whoever accepts that it is lost gives acceptUnknownLoss with the reason", f.Service, f.Site, f.Peer)}
	}
	return nil
}

// unsettled says what keeps this site from being one that has lost its vote to another that serves: what only such a site
// is fit for, and what is not done with its database before.
func (f Resync) unsettled(fit, done string) []api.Blocker {
	one := func(reason, format string, args ...any) []api.Blocker {
		return []api.Blocker{blocker(reason, format, args...)}
	}
	switch {
	case f.Vote.ReadAt == nil || f.Now.Sub(f.Vote.ReadAt.Time) >= f.Term:
		return one(api.ReasonWitnessSilent, "it is not known which site serves: see that the third place is reached from here")
	case f.Vote.Site != f.Peer:
		return one(api.ReasonNotApplicable, "the witness has %s on record: only a site that lost its vote to %s, or stands by for it, %s", site(f.Vote.Site), f.Peer, fit)
	case f.Order.Role == common.SiteActive || !f.Done && f.Order.Role != common.SiteStandby:
		return one(api.ReasonStateUnknown, "%s has not stopped at site %s yet: its manager stops it as soon as it knows that site %s serves", f.Service, f.Site, f.Peer)
	case f.There == nil:
		return one(api.ReasonStateUnknown, "site %s does not answer: nothing is %s here while it is not known what is there", f.Peer, done)
	case f.There.Role != common.SiteActive:
		return one(api.ReasonStateUnknown, "%s does not serve at site %s either: nothing is %s here before it does", f.Service, f.Peer, done)
	}
	return nil
}

// Risky says that the database may hold acknowledged work that the other site does not have. A standby holds nothing of
// its own.
func (f Resync) Risky() bool {
	return common.InForce(f.Acknowledge, f.Order) == common.AcknowledgeSite && f.Order.Role != common.SiteStandby
}

// follows says that this site stands by and has all, by the other one's word.
func (f Resync) follows() bool {
	return f.Order.Role == common.SiteStandby && f.There != nil && failover.HasAll(f.There.Replication, f.Now)
}

// Resynced says whether this site stands by with a database that is whole and has all; if not, what is waited for.
func (f Resync) Resynced() (bool, string) {
	switch {
	case f.Order.Role != common.SiteStandby || !f.Done:
		return false, "waiting until the service stands by at this site"
	case f.There == nil:
		return false, "site " + f.Peer + " does not answer"
	case !f.Whole || !f.follows():
		return false, "waiting until site " + f.Peer + " says that this one has all"
	}
	return true, "the database follows site " + f.Peer + " and has all"
}

func (f Resync) stake() string {
	switch {
	case f.Order.Role == common.SiteStandby:
		return "nothing: it was a copy"
	case f.Risky():
		return "what was acknowledged here without the other site; the loss was accepted"
	}
	return "nothing: whatever was acknowledged here waited for the other site"
}

func site(name string) string {
	if name == "" {
		return "no site"
	}
	return "site " + name
}
