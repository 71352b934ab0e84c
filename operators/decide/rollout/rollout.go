// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"fmt"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

const (
	busy = 5 * time.Second
	idle = 30 * time.Second
)

// Decide says what to apply now.
func Decide(f Facts) Decision {
	d := Decision{Program: f.Program, State: Settled, RecheckAfter: idle}
	for _, step := range []func(Facts, *Decision) bool{
		judge,  // the change in progress comes first: going back must never wait for anything
		create, // what is missing harms nobody by being made
		await,  // the program's change has the site to itself
		change,
	} {
		if step(f, &d) {
			break
		}
	}
	if d.State == Settled && f.Program.Wanted == d.Program.Rejected && f.Program.Wanted != "" {
		d.State, d.Message = RolledBack, rolledBack(d.Program)
	}
	return d
}

func rolledBack(p Program) string {
	return fmt.Sprintf("image %s did not work and %s serves instead: specify another image", p.Rejected, p.LastGood)
}

// judge ends the program's change in progress: well, by going back, or not at all yet.
func judge(f Facts, d *Decision) bool {
	p := &d.Program
	if p.StartedAt == nil {
		return false
	}
	late := f.Now.Sub(*p.StartedAt) > f.Deadline
	why := fmt.Sprintf("not every replica was available and probed within %s", f.Deadline)
	// Until a first image worked, a failing probe says no more than that the parts are starting;
	// on the way back, no more than that the image that failed is still being replaced.
	if f.Probe.Failing && p.LastGood != "" && p.Current != p.LastGood {
		late, why = true, "the deep probe failed at stage "+f.Probe.Stage
	}
	switch {
	case p.Complete && !f.Probe.Failing && f.Probe.PassedAt.After(*p.StartedAt):
		p.LastGood, p.StartedAt = p.Current, nil
		return false
	case !late:
		return false
	case p.LastGood != "" && p.Current != p.LastGood:
		p.Rejected, p.Current, p.StartedAt = p.Current, p.LastGood, &f.Now
		d.Apply = []string{f.program().Name}
		d.State, d.RecheckAfter = RolledBack, busy
		d.Message = why + "; " + rolledBack(*p)
		return true
	case p.Wanted != p.Current && p.Wanted != p.Rejected:
		return false // the person has asked for something else: let it be tried
	default:
		d.State, d.RecheckAfter = NoWayBack, busy
		d.Message = fmt.Sprintf("the change with image %s does not work: %s; there is no other good image to go back to", p.Current, why)
		return false // a corrected specification may still be what repairs it
	}
}

// create makes parts that do not exist. The program comes after the parts that it needs.
func create(f Facts, d *Decision) bool {
	engines := f.Parts[:len(f.Parts)-1]
	for _, p := range engines {
		if !p.Exists {
			d.Apply = append(d.Apply, p.Name)
		}
	}
	program := f.program()
	if len(d.Apply) == 0 && !program.Exists {
		if i := slices.IndexFunc(engines, func(p Part) bool { return !p.Known || p.Ready == 0 }); i >= 0 {
			d.State, d.Message, d.RecheckAfter = Progressing, "waiting for the first members of "+engines[i].Name, busy
			return true
		}
		d.Apply = []string{program.Name}
		d.start(f)
	}
	if len(d.Apply) == 0 {
		return false
	}
	d.State, d.RecheckAfter = Progressing, busy
	d.Message = fmt.Sprintf("making %v", d.Apply)
	return true
}

// await holds everything else while the program's change is in progress.
func await(f Facts, d *Decision) bool {
	p := d.Program
	if p.StartedAt == nil || f.program().Pending || d.State == NoWayBack {
		return false
	}
	d.State, d.RecheckAfter = Progressing, busy
	d.Message = fmt.Sprintf("changing %s to image %s", f.program().Name, p.Current)
	if p.Current == p.LastGood && p.Rejected != "" && p.Wanted == p.Rejected {
		d.State, d.Message = RolledBack, rolledBack(p)
	}
	return true
}

// change brings the first part that differs to its specification, if that harms nobody.
func change(f Facts, d *Decision) bool {
	members := make([]quorum.Part, len(f.Parts))
	for i, p := range f.Parts {
		members[i] = p.Part
		members[i].Changing = p.Changing || f.Now.Sub(p.ChangedAt) < settleTime
	}
	program := f.program()
	for _, p := range f.Parts {
		if !p.Pending {
			continue
		}
		d.RecheckAfter = busy
		// Leaving an image that does not serve cannot make it worse.
		repair := p.Name == program.Name && (d.State == NoWayBack || d.Program.Current != d.Program.LastGood)
		// A part without any member has nothing to lose, nor has a service that never worked.
		if f.Probe.Failing && !repair && d.Program.LastGood != "" && !(p.Known && p.Ready == 0) {
			d.wait(WaitingForProbe, fmt.Sprintf("%s is not changed while the deep probe fails at stage %s", p.Name, f.Probe.Stage))
			return true
		}
		switch q := quorum.MayDisrupt(p.Name, members); {
		case repair || q.Verdict == quorum.Allow:
		case q.Verdict == quorum.Unknown:
			d.wait(WaitingForFacts, p.Name+" is not changed now: "+q.Message)
			return true
		default:
			d.wait(WaitingForQuorum, p.Name+" is not changed now: "+q.Message)
			return true
		}
		d.Apply, d.State, d.Message = []string{p.Name}, Progressing, "changing "+p.Name
		if p.Name == program.Name {
			d.start(f)
		}
		return true
	}
	for _, m := range members {
		if m.Known && m.Changing {
			d.wait(Progressing, m.Name+" is being changed by its own operator")
			d.RecheckAfter = busy
			return true
		}
	}
	return false
}

// wait says what a change waits for, unless something graver was found.
func (d *Decision) wait(s State, message string) {
	if d.State != NoWayBack {
		d.State, d.Message = s, message
	}
}

// start begins a change of the program to the specified image, or keeps the last good one
// where the specified one was rejected.
func (d *Decision) start(f Facts) {
	p := &d.Program
	p.Current = p.Image()
	if p.Current != p.LastGood {
		p.Rejected = ""
	}
	p.StartedAt = &f.Now
}

// Image is what the program is to run: the specified image, unless it was rejected.
func (p Program) Image() string {
	if p.Wanted == p.Rejected && p.LastGood != "" {
		return p.LastGood
	}
	return p.Wanted
}

func (f Facts) program() Part { return f.Parts[len(f.Parts)-1] }
