// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// StepCompareSites is the step of CompareSites.
const StepCompareSites = "compare-sites"

// Compare is what CompareSites rests on.
type Compare struct {
	Resync
	// Available says that the database here can be read.
	Available bool
}

// PlanCompare lists what the database of a site that lost its vote holds and the one of the site that serves does not. It
// changes nothing.
func PlanCompare(f Compare) Decision {
	switch {
	case f.Elsewhere[Database] != "":
		return f.notOurs(Database)
	case f.Site == "":
		return blocked(api.ReasonNotApplicable, "%s is at one site only (it has no spec.site): there is nothing to compare its database with", f.Service)
	case f.Order.Role == common.SiteStandby:
		return blocked(api.ReasonNotApplicable, "%s stands by at site %s: its database is a copy, and holds nothing of its own", f.Service, f.Site)
	}
	if b := f.Held(); len(b) > 0 {
		return blocked(b[0].Reason, "%s", b[0].Message)
	}
	u := f.recorded()
	return plan(fmt.Sprintf("list %s that the database of %s holds at site %s, and the one of site %s, which serves, does not; nothing is changed", u.many, f.Service, f.Site, f.Peer),
		append(inputs(f.Object, f.Cluster), "serves: "+f.Peer),
		api.PlannedStep{
			Name: StepCompareSites, Summary: fmt.Sprintf("look for what is here at site %s, from the newest back to what both have", f.Peer),
			Touches: touches(f.Cluster), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 3600,
		})
}

// Held says what keeps the databases from being compared now.
func (f Compare) Held() []api.Blocker {
	if b := f.unsettled("holds anything of its own", "compared"); b != nil {
		return b
	}
	if f.Cluster.UID == "" || !f.Available {
		return []api.Blocker{blocker(api.ReasonStateUnknown, "the database of %s at site %s cannot be read: repair it first", f.Service, f.Site)}
	}
	return nil
}

// recorded is what a comparison of sites counts, in words.
func (s Service) recorded() unit {
	if s.Kind == "BookingService" {
		return unit{"change of a referral", "changes of referrals", "made"}
	}
	return unit{"message", "messages", "accepted"}
}

// Alone is what a site alone holds.
type Alone struct {
	// Alone is how many there are, Again how many of them came to the other site since by another way, and Listed how many
	// are in the list.
	Alone  int64 `json:"alone"`
	Again  int64 `json:"again"`
	Listed int64 `json:"listed"`
	// First and Last are when the oldest and the newest of them came.
	First string `json:"first"`
	Last  string `json:"last"`
}

// Alone says what was found, for people.
func (f Compare) Alone(a Alone) string {
	u := f.recorded()
	if a.Alone == 0 {
		return fmt.Sprintf("site %s has all %s of site %s", f.Peer, u.many, f.Site)
	}
	text := fmt.Sprintf("site %s alone has %s, %s from %s to %s", f.Site, Count(int(a.Alone), u.one, u.many), u.came, a.First, a.Last)
	if a.Again > 0 {
		text += fmt.Sprintf("; sent to site %s again since: %d of them", f.Peer, a.Again)
	}
	if a.Listed < a.Alone {
		text += fmt.Sprintf("; the list has the newest %d", a.Listed)
	}
	return text
}
