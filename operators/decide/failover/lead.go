// SPDX-License-Identifier: Apache-2.0

package failover

import "time"

// leadAgain is how often the site that serves sees that clients are sent to it.
const leadAgain = time.Minute

// Traffic is what tells whether a site is to see where clients are sent.
type Traffic struct {
	// Now is the time of the decision, SeenAt when clients were last seen to be sent here; zero: never.
	Now, SeenAt time.Time
	// Voted: the vote on record is this site's. Serving: all services have brought that about.
	Voted, Serving bool
	// Moving: a Failover to this site is under way, and clients are that one's.
	Moving bool
}

// Leads says whether the site has clients sent to it now: the first time, as no Failover brought that about, and again
// and again, as somebody may have led them elsewhere by hand.
func Leads(t Traffic) bool {
	return t.Voted && t.Serving && !t.Moving && t.Now.Sub(t.SeenAt) >= leadAgain
}
