// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"slices"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// tick is one look of a site's manager, as controllers/failoverpolicy has it.
func (w *world) tick(i int) {
	s := w.sites[i]
	s.look = w.now + term/6 + time.Duration(w.random.Int64N(int64(time.Second)))
	o := w.other(s)
	f := Site{
		Now: w.clock(s), Me: s.name, Peer: o.name, Term: term, First: i == 0, Both: w.both,
		Vote: w.read(i), Held: s.held, Promised: s.promised, Order: s.order, Done: s.real == s.order,
		Strict: s.real == s.order && s.strict, Streaming: w.follows(s) && (s.strict || w.lag == 0 && len(o.log) == len(s.log)),
		Handover: s.handover,
	}
	if w.flaws.boast {
		f.Done = true
	}
	switch {
	case w.follows(s):
		s.brokenSince = w.now
	default:
		f.BrokenFor = w.now - s.brokenSince
	}
	if !f.Streaming {
		s.wholeSince = w.now
	}
	f.StreamingFor = w.now - s.wholeSince
	f.Bounded = s.permit != PermitEndless || s.real.Role != common.SiteActive
	w.watch(s, o)
	if f.Vote != nil {
		s.held = *f.Vote
		if s.taking != 0 && s.taking <= f.Vote.Epoch {
			s.taking = 0
		}
	}
	d := Decide(f)
	for range 3 {
		if d.Swap == nil || w.swap(i, *f.Vote, *d.Swap) != nil {
			break
		}
		f.Vote, f.Renewed, s.held = d.Swap, true, *d.Swap
		d = Decide(f)
	}
	if d.AskPromise && w.talks() && !w.chance(10) && o.taking == 0 && o.order.Role == common.SiteStandby {
		until := f.Now.Add(term)
		o.promise, s.promised = api.Promise{Epoch: s.held.Epoch, Until: until}, until
		f.Promised = until
		d = Decide(f)
	}
	w.obey(s, f, d)
}

// obey pushes permits first, then orders.
func (w *world) obey(s *place, f Site, d Course) {
	// Some programs cannot be reached, and none heeds an epoch older than the last.
	if !w.chance(5) && d.Epoch >= s.epoch {
		s.permit, s.epoch, s.until = d.Permit, d.Epoch, d.Until
	}
	if w.flaws.hasty && f.Handover != nil && !f.Now.Before(f.Handover.Until) && f.Vote == nil && s.held.Site == s.name {
		d.Order = common.SiteOrder{Role: common.SiteActive, Epoch: s.held.Epoch}
		s.permit, s.until = PermitUntil, f.Now.Add(term)
	}
	if w.flaws.early && f.BrokenFor > aloneAfter && s.order.Role == common.SiteActive {
		d.Order.Alone = true
	}
	if w.flaws.unbounded && f.Vote != nil && f.Vote.Site == s.name && f.Vote.Alone {
		s.permit = PermitEndless
	}
	if d.Order != s.order {
		s.order, s.due = d.Order, w.now+time.Duration(w.random.Int64N(int64(8*time.Second)))
		s.by = -1
		if d.Order.Role == common.SiteActive && w.op != nil && w.op.target == s && w.op.mode == api.FailoverPlanned && w.op.epoch == d.Order.Epoch {
			s.by = w.op.token
		}
	}
}

// watch keeps what a standby knows of what it has.
func (w *world) watch(s, o *place) {
	if !w.talks() || s.real.Role != common.SiteStandby || !w.follows(o) {
		return
	}
	at := w.clock(o)
	if !o.strict {
		at = at.Add(-(w.lag + time.Second).Truncate(time.Second))
	}
	s.heldAllAt = at
}

// op is a failover, as controllers/failover carries it out.
type op struct {
	mode          api.FailoverMode
	target        *place
	limit         api.LossLimit
	step          string
	since         time.Duration
	epoch         int64
	token         int
	predicted     api.Loss
	strictly      bool
	frozen        *Vote
	began, answer time.Duration
}

func (w *world) take(o *op) Take {
	s := o.target
	i := slices.Index(w.sites[:], s)
	t := Take{Now: w.clock(s), Me: s.name, Peer: w.other(s).name, Skew: skew, Vote: w.read(i), Promise: s.promise}
	if w.flaws.noSkew {
		t.Skew = -skew
	}
	if w.flaws.noPromise {
		t.Promise = api.Promise{}
	}
	// What the other site says of itself, while it answers.
	if p := w.other(s); w.talks() && p.handover != nil && p.handover.Operation == "op" && p.real == p.order && p.real.Role != common.SiteActive {
		t.Granted, t.GrantedUntil = p.real.Role, p.handover.Until
	}
	return t
}

func (w *world) plan(o *op) Decision {
	s := o.target
	t := w.take(o)
	f := Failover{Take: t, Mode: o.mode, To: s.name, Limit: o.limit, PeerReachable: w.talks(),
		Following: Following{HeldAllAt: s.heldAllAt, PerSecond: 8, Measured: true},
		Members:   []Member{{Service: "MessagingService spine-messaging/spine", Role: s.real.Role, Ready: true}},
	}
	return Plan(f)
}
