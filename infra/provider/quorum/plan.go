// SPDX-License-Identifier: Apache-2.0

package quorum

import "slices"

// Decide returns the steps that lead from what is to what is asked for, or
// the reasons why that is refused.
func Decide(s Situation) Plan {
	if b := requested(s); len(b) > 0 {
		return Plan{Blockers: b}
	}
	w := newWalk(s)
	// The order is by safety: first what only takes dead weight away, then
	// what keeps the members, then what exchanges them.
	w.removeDead()
	w.start()
	w.update()
	w.exchange()
	if len(w.steps) == 0 {
		return Plan{}
	}
	if b := observed(s, votes(s.Current)); len(b) > 0 {
		return Plan{Blockers: b}
	}
	if w.blocker != nil {
		return Plan{Blockers: []Blocker{*w.blocker}}
	}
	return Plan{Steps: w.steps}
}

// walk takes the steps in thought, counting votes as it goes.
type walk struct {
	s       Situation
	members []Member // as they would be after steps
	steps   []Step
	blocker *Blocker // the first step that is not safe; what follows is moot
}

func newWalk(s Situation) *walk { return &walk{s: s, members: slices.Clone(s.Current)} }

// removeDead removes leftovers and the members that are down and not wanted:
// nothing healthy is lost, and etcd's quorum gets easier to reach.
func (w *walk) removeDead() {
	for _, m := range slices.Clone(w.members) {
		switch {
		case !m.Joined:
			w.remove(m, "left over from a step that broke off")
		case !wanted(w.s, m) && m.Health == Unhealthy:
			w.remove(m, "down and no longer wanted")
		}
	}
}

// start begins a new cluster.
func (w *walk) start() {
	if len(w.members) > 0 {
		return
	}
	h := w.s.Desired[0]
	w.take(Step{Action: Init, Name: h.Name, MachineID: h.MachineID, Why: "first control plane"}, Votes{Members: 1, Healthy: 1})
	w.members = append(w.members, w.fresh(h))
}

// update takes each staying member through a restart of its control plane.
func (w *walk) update() {
	for _, m := range slices.Clone(w.members) {
		if !wanted(w.s, m) || (m.Version == w.s.Version && m.Configuration == w.s.Configuration) {
			continue
		}
		before := votes(w.members)
		during := before
		if m.Health == Healthy {
			during.Healthy--
		}
		// With one or two members a restart always interrupts; then all must be healthy.
		if during.Healthy < before.Quorum() && before.Healthy < before.Members {
			w.block(atRisk(Update, m.Name, before, during))
		}
		why := "configuration"
		if m.Version != w.s.Version {
			why = m.Version + " to " + w.s.Version
		}
		w.take(Step{Action: Update, Name: m.Name, MachineID: m.MachineID, Why: why}, before)
	}
}

// exchange removes members and joins others, never growing past what is asked
// for while somebody still has to go, and never shrinking below it while
// somebody can join.
func (w *walk) exchange() {
	for {
		leaver, leaves := w.nextLeaver()
		joiner, joins := w.nextJoiner()
		switch n := len(w.members); {
		case joins && (n < len(w.s.Desired) || !leaves):
			w.join(joiner)
		case leaves:
			w.remove(leaver, "no longer wanted")
		default:
			return
		}
	}
}

func (w *walk) nextLeaver() (Member, bool) {
	for _, m := range w.members {
		if !wanted(w.s, m) {
			return m, true
		}
	}
	return Member{}, false
}

// nextJoiner skips hosts whose name is still taken by the machine they replace.
func (w *walk) nextJoiner() (Host, bool) {
	for _, h := range w.s.Desired {
		if !slices.ContainsFunc(w.members, func(m Member) bool { return m.Name == h.Name }) {
			return h, true
		}
	}
	return Host{}, false
}

func (w *walk) remove(m Member, why string) {
	before := votes(w.members)
	w.members = slices.DeleteFunc(w.members, func(o Member) bool { return o.Name == m.Name && o.MachineID == m.MachineID })
	after := votes(w.members)
	if m.Voter && after.Members > 0 && after.Healthy < after.Quorum() {
		w.block(atRisk(Remove, m.Name, before, after))
	}
	w.take(Step{Action: Remove, Name: m.Name, MachineID: m.MachineID, Why: why, Before: before}, after)
}

func (w *walk) join(h Host) {
	before := votes(w.members)
	w.members = append(w.members, w.fresh(h))
	w.take(Step{Action: Join, Name: h.Name, MachineID: h.MachineID, Why: "wanted", Before: before}, votes(w.members))
}

func (w *walk) take(s Step, after Votes) {
	if s.Action == Update {
		s.Before = after
	}
	s.After = after
	w.steps = append(w.steps, s)
}

func (w *walk) block(b *Blocker) {
	if w.blocker == nil {
		w.blocker = b
	}
}

func (w *walk) fresh(h Host) Member {
	return Member{Name: h.Name, MachineID: h.MachineID, Voter: true, Joined: true, Health: Healthy,
		Version: w.s.Version, Configuration: w.s.Configuration}
}
