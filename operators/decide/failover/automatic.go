// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// freshFor is how old knowledge of a standby that follows may be.
const freshFor = 30 * time.Second

// Watch is what an automatic failover rests on besides a plan.
type Watch struct {
	Failover
	// Rules of the environment.
	Rules api.Automatic
	// ProbeFailures of deep probes of the other site from outside, in a row.
	ProbeFailures int32
	// MovedAt is when the vote last came to this site; zero: never. EndedAt is when a failover
	// to this site last ended, however.
	MovedAt, EndedAt time.Time
	// Busy says that a failover is asked for already.
	Busy bool
}

// Verdict on an automatic failover.
type Verdict string

const (
	// Leave: there is nothing to do.
	Leave Verdict = "Leave"
	// Begin an unplanned failover to this site.
	Begin Verdict = "Begin"
	// Page: the other site is lost, and this one must not take over by itself.
	Page Verdict = "Page"
)

// Automatically decides whether a failover begins without a person: only after deep probes
// of the whole path failed, the witness no longer hears of the other site either, what would
// be lost is within the limit, and this site can serve.
func Automatically(f Watch) (Verdict, string) {
	switch {
	case f.Rules.Mode != api.AutomaticOn, f.Busy, f.Vote == nil, f.Vote.Site != f.Peer, f.ProbeFailures < f.Rules.Failures:
		return Leave, ""
	}
	// One that can still be asked is up: its own recovery is at work, or a person is.
	if stopped, _ := f.Stopped(); !stopped || f.PeerReachable {
		return Leave, ""
	}
	for _, at := range []time.Time{f.MovedAt, f.EndedAt} {
		if until := at.Add(f.Rules.CoolDown.Duration); !at.IsZero() && f.Now.Before(until) {
			return Page, fmt.Sprintf("site %s is lost, and a failover ended too short a time ago for another without a person: it rests until %s",
				f.Peer, until.UTC().Format(time.RFC3339))
		}
	}
	if d := Plan(f.Failover); len(d.Blockers) > 0 {
		return Page, fmt.Sprintf("site %s is lost, and this site does not take over by itself: %s: %s", f.Peer, d.Blockers[0].Reason, d.Blockers[0].Message)
	}
	return Begin, fmt.Sprintf("%d deep probes of site %s failed in a row, and its vote ran out at %s",
		f.ProbeFailures, f.Peer, f.Vote.Until.UTC().Format(time.RFC3339))
}
