// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"slices"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// ask for a failover to a site, unless one is under way.
func (w *world) ask(mode api.FailoverMode, target *place, limit api.LossLimit) {
	if w.op != nil || !target.up {
		return
	}
	o := &op{mode: mode, target: target, limit: limit, token: -1, since: w.now, began: w.now}
	if d := w.plan(o); len(d.Blockers) > 0 {
		return
	}
	w.say("%s failover to %s begins", mode, target.name)
	o.step, w.op = StepStop, o
}

func (w *world) next(step string) {
	w.op.step, w.op.since = step, w.now
	w.say("step %s", step)
}

func (w *world) end(how string) {
	w.say("the failover ended: %s", how)
	w.op.target.taking = 0
	w.op = nil
}

// operate carries the failover on, while the manager of its site runs.
func (w *world) operate() {
	o := w.op
	if o == nil || !o.target.up || !o.target.manager {
		return
	}
	limits := map[string]time.Duration{StepStop: 240, StepDemote: 240, StepVote: 120, StepPromote: 600, StepTraffic: 300}
	if w.now-o.since > limits[o.step]*time.Second {
		w.end("too late in " + o.step)
		return
	}
	source := w.other(o.target)
	switch o.step {
	case StepStop:
		w.request(source, common.SiteQuiesced)
		if stopped, _ := w.take(o).Stopped(); stopped || w.flaws.noFence {
			if o.mode == api.FailoverPlanned {
				w.next(StepDemote)
			} else {
				w.next(StepVote)
			}
		}
	case StepDemote:
		w.request(source, common.SiteStandby)
		t := w.take(o)
		if t.Granted == common.SiteStandby && source.token >= 0 && len(o.target.log) >= source.token {
			o.token = source.token
			w.next(StepVote)
		}
	case StepVote:
		w.vouch(o)
	case StepTraffic:
		w.next(StepPromote)
	case StepPromote:
		if o.target.real.Role == common.SiteActive && o.target.real.Epoch == o.epoch {
			w.end("succeeded")
		} else if w.vote.Epoch > o.epoch && w.vote.Site != o.target.name {
			w.end("the vote moved on")
		}
	}
}

// request asks the other site, whose manager answers in its own time.
func (w *world) request(source *place, role common.SiteRole) {
	if w.talks() && w.vote.Site == source.name {
		source.handover = &api.Handover{Operation: "op", Epoch: source.held.Epoch, Role: role, Finish: w.op.mode == api.FailoverPlanned, Until: w.clock(w.op.target).Add(5 * time.Minute)}
	}
}

// vouch takes the vote: first the record that nothing is promised any more, then what was
// promised is looked at, and the loss, then the swap.
func (w *world) vouch(o *op) {
	if v := o.frozen; v != nil {
		// The witness may be slow: what was read a while ago is what is swapped.
		if w.now < o.answer {
			return
		}
		t := Take{Now: w.clock(o.target), Me: o.target.name, Vote: v}
		next := t.Next(term)
		o.frozen = nil
		_ = w.swap(slices.Index(w.sites[:], o.target), *v, next)
		return
	}
	t := w.take(o)
	switch {
	case t.Vote == nil:
		return
	case t.Vote.Site == t.Me && o.epoch == t.Vote.Epoch:
		w.next(StepTraffic)
		return
	case t.Vote.Site != t.Peer:
		w.end("the vote moved")
		return
	}
	if !w.flaws.noTaking {
		o.target.taking = t.Vote.Epoch + 1
	}
	t = Take{Now: t.Now, Me: t.Me, Peer: t.Peer, Skew: t.Skew, Vote: t.Vote, Promise: t.Promise, Granted: t.Granted, GrantedUntil: t.GrantedUntil}
	if stopped, _ := t.Stopped(); !stopped && !w.flaws.noFence {
		return
	}
	loss := t.Loss(Following{HeldAllAt: o.target.heldAllAt, PerSecond: 8, Measured: true})
	if o.mode == api.FailoverPlanned {
		loss = api.Loss{}
	} else if len(Within(loss, o.limit, false)) > 0 && !w.flaws.noLoss {
		w.end("the loss is over the limit")
		return
	}
	o.predicted, o.strictly, o.epoch = loss, !t.Vote.Alone || o.mode == api.FailoverPlanned, t.Vote.Epoch+1
	if w.flaws.noLoss {
		o.predicted = api.Loss{}
	}
	v := *t.Vote
	o.frozen, o.answer = &v, w.now+time.Duration(w.random.Int64N(int64(3*time.Second)))
}

// promoted looks at what the site that takes over lacks of what was acknowledged.
func (w *world) promoted(s *place) {
	if s.order.Epoch == w.sites[0].real.Epoch && s.order.Epoch == w.sites[1].real.Epoch {
		return // it had handed over, and is active again
	}
	have := map[int]bool{}
	for _, id := range s.log {
		have[id] = true
	}
	var lost []message
	for _, m := range w.acked {
		if !have[m.id] {
			lost = append(lost, m)
		}
	}
	w.acked = slices.DeleteFunc(w.acked, func(m message) bool { return !have[m.id] })
	o := w.op
	if o == nil || o.target != s || o.epoch != s.order.Epoch {
		if len(lost) > 0 {
			w.violate("site %s lost %d messages without an operation", s.name, len(lost))
		}
		return
	}
	if len(lost) == 0 {
		return
	}
	window := lost[len(lost)-1].at - lost[0].at
	w.say("lost %d messages of %s; predicted %s", len(lost), window, Words(o.predicted))
	if o.strictly || int64(len(lost)) > o.predicted.Messages || window > time.Duration(o.predicted.Seconds)*time.Second {
		w.violate("lost %d messages of %s, and %s was predicted", len(lost), window, Words(o.predicted))
	}
}
