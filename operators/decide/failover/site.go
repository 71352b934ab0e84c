// SPDX-License-Identifier: Apache-2.0

// Package failover decides which of two sites serves. The witness's vote is the truth: the
// site that it names becomes active, any other stops. A vote is changed only by swapping
// exactly the one that was read, so of two sites that want it one gets it.
//
// What keeps a site that has lost its vote, and does not know it yet, from acknowledging:
//   - while every service waits for both sites, its database, which needs the other one's;
//   - while it acknowledges on its own disks alone, its programs' permits, which end with the
//     vote (or with the other site's promise to take nothing over, when the witness is away).
package failover

import (
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Vote is what the witness has on record, as ports.Vote has it.
type Vote struct {
	Site  string
	Epoch int64
	Alone bool
	Until time.Time
}

// Site is what a site knows of itself, its vote and its partner in one look.
type Site struct {
	// Now is the time by this site's clock.
	Now time.Time
	// Me and Peer are the sites' names.
	Me, Peer string
	// Term of a vote.
	Term time.Duration
	// First says that this site is the one that begins as active.
	First bool
	// Both says that every service's specification waits for both sites.
	Both bool
	// Vote on record; nil when the witness did not answer.
	Vote *Vote
	// Renewed says that this site has put Vote on record in this very look.
	Renewed bool
	// WasAlone says that the vote which this site last had put it on record as alone.
	WasAlone bool
	// Held is the newest vote that this site knows of, on record some time ago.
	Held Vote
	// Promised is until when the other site takes nothing over from the epoch of Held.
	Promised time.Time
	// Order that the services have.
	Order common.SiteOrder
	// Done says that every service has brought its order about.
	Done bool
	// Strict says that every service has brought about that nothing is acknowledged without
	// the other site.
	Strict bool
	// Bounded says that no running program has a permit without an end.
	Bounded bool
	// Streaming says that the other site has all, and gets what is written as it is written;
	// false also when that is not known. StreamingFor and BrokenFor are since how long it does, or does not.
	Streaming               bool
	StreamingFor, BrokenFor time.Duration
	// Handover that the other site asks for; nil: none.
	Handover *api.Handover
}

// aloneAfter is how long a site that waits for the other one keeps its senders waiting,
// before it asks the witness to go on without it.
const aloneAfter = 10 * time.Second

// togetherAfter is how long the other site has to follow before senders wait for it again: one that has just begun to
// follow often breaks off once more, and every change of who has to have a commit holds commits up.
const togetherAfter = 5 * time.Second

// Permit is what the programs may do.
type Permit string

const (
	// PermitNone: they acknowledge nothing.
	PermitNone Permit = "None"
	// PermitUntil: they acknowledge until a time.
	PermitUntil Permit = "Until"
	// PermitEndless: they go on whatever happens to the managers; their database holds back
	// what the other site does not have.
	PermitEndless Permit = "Endless"
)

// Course is what a site does now.
type Course struct {
	// Swap is the vote to put on record in place of Site.Vote, after which it decides anew;
	// nil: none.
	Swap *Vote
	// AskPromise of the other site, as the witness is away.
	AskPromise bool
	// Permit of the programs, with its epoch (they heed none of an older one) and end.
	Permit Permit
	Epoch  int64
	Until  time.Time
	// Order of the services.
	Order common.SiteOrder
	// Lost says that this site was active and another is: what only this one holds is to be
	// looked at before it may follow.
	Lost bool
}

// Decide what a site does now.
func Decide(f Site) Course {
	switch {
	case f.Vote == nil:
		d := Course{Order: f.Order, AskPromise: f.Order.Role == common.SiteActive && f.Held.Site == f.Me}
		return d.permit(f, f.Held)
	case f.Vote.Site == f.Me:
		return mine(f)
	case f.Vote.Site == f.Peer:
		return theirs(f)
	}
	// Nobody has voted yet. The one that is to begin does; the other waits.
	d := Course{Order: f.Order, Permit: PermitNone}
	if f.First && f.Vote.Site == "" {
		d.Swap = &Vote{Site: f.Me, Epoch: f.Vote.Epoch + 1, Alone: !f.Both, Until: f.Now.Add(f.Term)}
	}
	return d
}

// theirs: the other site is active. One that was active itself stops and stays as it is;
// one that stands by goes on.
func theirs(f Site) Course {
	d := Course{Permit: PermitNone, Epoch: f.Vote.Epoch, Order: common.SiteOrder{Role: f.Order.Role, Epoch: f.Vote.Epoch}}
	if f.Order.Role != common.SiteStandby {
		d.Order.Role, d.Lost = common.SiteQuiesced, true
		d.Order.Alone = f.Order.Alone || f.WasAlone // what it did last tells what only its database may hold
	}
	return d
}

// mine: this site is active, or is to become so, or has been asked to stop.
func mine(f Site) Course {
	next := *f.Vote
	next.Until = f.Now.Add(f.Term)
	d := Course{Epoch: f.Vote.Epoch, Order: common.SiteOrder{Role: common.SiteActive, Epoch: f.Vote.Epoch}}
	if h := f.Handover; h != nil && h.Epoch == f.Vote.Epoch && f.Now.Before(h.Until) {
		return handOver(f, h.Role, next)
	}
	switch resumes := f.Order.Role != common.SiteActive && f.Order.Epoch == f.Vote.Epoch; {
	case resumes && !f.Renewed:
		// The other site may be about to take the vote: only after another swap of our own is it
		// certain that it was not.
		d.Order, d.Permit, d.Swap = f.Order, PermitNone, &next
		return d
	case f.Vote.Alone && f.Both && f.Streaming && f.StreamingFor >= togetherAfter:
		// Back to both: first the services, then the record.
		if f.Strict && f.Order.Role == common.SiteActive && !f.Order.Alone {
			next.Alone, next.Epoch = false, next.Epoch+1
			d.Swap = &next
		}
	case f.Vote.Alone:
		// On its own: first the programs' permits, which the next look sees, then the services.
		d.Order.Alone = f.Bounded
	case !f.Both || f.Order.Role == common.SiteActive && f.BrokenFor >= aloneAfter:
		// To go on alone: first the record. Until then senders wait.
		next.Alone, next.Epoch = true, next.Epoch+1
		d.Swap = &next
	}
	if d.Swap == nil && !f.Renewed && f.Vote.Until.Sub(f.Now) < f.Term*3/4 {
		d.Swap = &next
	}
	return d.permit(f, *f.Vote)
}

// handOver does what the other site asks for while it may: the vote is kept, and comes into
// force again when the time is up.
func handOver(f Site, role common.SiteRole, next Vote) Course {
	d := Course{Permit: PermitNone, Epoch: f.Vote.Epoch, Order: common.SiteOrder{Role: common.SiteQuiesced, Epoch: f.Vote.Epoch, Alone: f.Order.Alone}}
	stopped := f.Order.Role != common.SiteActive && f.Done
	if f.Handover.Finish && !stopped && f.Now.Before(f.Vote.Until) {
		d.Permit, d.Until = PermitUntil, f.Vote.Until // until there are no programs any more
	}
	if role == common.SiteStandby && (stopped || f.Order.Role == common.SiteStandby) {
		d.Order.Role, d.Order.Alone = common.SiteStandby, false // only once nothing is acknowledged any more
	}
	if !f.Renewed && f.Vote.Until.Sub(f.Now) < f.Term*3/4 {
		d.Swap = &next
	}
	return d
}

// permit of the programs under a vote that this site has, or had when it last knew.
func (d Course) permit(f Site, v Vote) Course {
	d.Permit, d.Epoch = PermitNone, v.Epoch
	if d.Order.Role != common.SiteActive || v.Site != f.Me {
		return d
	}
	until := v.Until
	if f.Promised.After(until) {
		until = f.Promised
	}
	switch {
	case f.Strict && !d.Order.Alone && !f.Order.Alone && (!v.Alone || f.Streaming):
		d.Permit = PermitEndless
	case f.Now.Before(until):
		d.Permit, d.Until = PermitUntil, until
	}
	return d
}
