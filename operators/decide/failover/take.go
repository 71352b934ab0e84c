// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Take is what a site knows when it wants to take the vote from the other one.
type Take struct {
	// Now is the time by this site's clock.
	Now time.Time
	// Me and Peer are the sites' names.
	Me, Peer string
	// Skew is the most by which the sites' clocks differ.
	Skew time.Duration
	// Vote on record; nil when the witness did not answer.
	Vote *Vote
	// Promise that this site has given.
	Promise api.Promise
	// Granted is the role that the other site says it has by the wish of this very operation;
	// empty: none, or it does not answer. GrantedUntil is how long that is so.
	Granted      common.SiteRole
	GrantedUntil time.Time
}

// Stopped says that the other site acknowledges nothing by now, and will not without another
// swap of its vote; if not, why.
func (f Take) Stopped() (bool, string) {
	if f.Vote == nil {
		return false, "the witness does not answer"
	}
	if f.Vote.Site != f.Peer {
		return true, "the witness has another site than " + f.Peer + " on record"
	}
	if (f.Granted == common.SiteQuiesced || f.Granted == common.SiteStandby) && f.Now.Add(f.Skew).Before(f.GrantedUntil) {
		return true, f.Peer + " says that it has stopped"
	}
	end := f.Vote.Until
	if f.Promise.Epoch == f.Vote.Epoch && f.Promise.Until.After(end) {
		end = f.Promise.Until
	}
	if end = end.Add(f.Skew); !f.Now.After(end) {
		return false, fmt.Sprintf("%s may serve until %s: it has a vote or a promise until then", f.Peer, end.UTC().Format(time.RFC3339))
	}
	return true, "the vote of " + f.Peer + " has run out"
}

// Next is the vote to put on record in place of Vote.
func (f Take) Next(term time.Duration) Vote {
	return Vote{Site: f.Me, Epoch: f.Vote.Epoch + 1, Alone: true, Until: f.Now.Add(term)}
}

// silent blocks what needs the witness.
func silent() api.Blocker {
	return api.Blocker{Reason: api.ReasonWitnessSilent,
		Message: "the witness does not answer, so it is not known which site serves: see that the third place is reached from here"}
}

// Serving is the blocker while the other site may still acknowledge; nil when it does not.
func (f Take) Serving() *api.Blocker {
	stopped, why := f.Stopped()
	switch {
	case stopped:
		return nil
	case f.Vote == nil:
		b := silent()
		return &b
	}
	return &api.Blocker{Reason: api.ReasonSourceServing, Message: why +
		"; it does not answer this site. If it goes on, it is well, and only the link is cut: use the mode Planned once it is back"}
}
