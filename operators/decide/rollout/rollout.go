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
	if f.Resting {
		// Nothing serves that a probe could speak for, so nothing is judged.
		f.Program.StartedAt, f.Probe, f.Image = nil, Probe{}, Probe{}
	}
	d := Decision{Program: f.Program, State: Settled, RecheckAfter: idle}
	for _, step := range []func(Facts, *Decision) bool{
		pause,  // two that act on one service undo each other's work, or worse
		judge,  // the change in progress comes first: going back must never wait for anything
		create, // what is missing harms nobody by being made
		await,  // the program's change has the site to itself
		change,
	} {
		if step(f, &d) {
			break
		}
	}
	if f.Resting {
		d.Program.StartedAt = nil // it begins when the program does
	}
	if d.State == Settled && f.Program.Wanted == d.Program.Rejected && f.Program.Wanted != "" {
		d.State, d.Message = RolledBack, rolledBack(d.Program)
	}
	return d
}

// pause leaves the parts to an operation that holds the service. What is missing is still
// made: no operation takes a whole part away, and one that waits for it would wait for ever.
func pause(f Facts, d *Decision) bool {
	if f.Operation == "" {
		return false
	}
	if !create(f, d) {
		d.State, d.Message, d.RecheckAfter = Operating, f.Operation+" is running: nothing is changed meanwhile", busy
	}
	return true
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
	if p.LastGood != "" && p.Current != p.LastGood && f.blames() {
		late, why = true, "the deep probe failed at stage "+f.Probe.Stage
	}
	switch {
	case p.Complete && !f.Probe.Failing && !f.Image.Failing && f.Image.PassedAt.After(*p.StartedAt):
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

// blames says whether failing probes are the fault of the change in progress: they failed
// through the new image, or the path passed since the change began and no longer does. A path
// that was broken before is what the change may be there to mend.
func (f Facts) blames() bool {
	return f.Image.Failing || f.Probe.Failing && f.Probe.PassedAt.After(*f.Program.StartedAt)
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
			first := engines[i]
			d.State, d.Message, d.RecheckAfter = Progressing, "waiting for the first members of "+first.Name, busy
			// Without a member there is nothing to disrupt, and what was corrected may be what keeps them from coming.
			if first.Pending && first.Known {
				d.Apply, d.Message = []string{first.Name}, "changing "+first.Name+", which has no member yet"
			}
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
		// With every member there (see below), the program's image may be what fails, and another
		// one what mends it: who has to bring in a fix must not be kept out by what it fixes.
		fix := p.Name == program.Name && d.Program.Image() != d.Program.Current
		// A part without any member has nothing to lose, nor has a service that never worked.
		if f.Probe.Failing && !repair && !fix && d.Program.LastGood != "" && !(p.Known && p.Ready == 0) {
			d.wait(WaitingForProbe, fmt.Sprintf("%s is not changed while the deep probe fails at stage %s", p.Name, f.Probe.Stage))
			return true
		}
		counted := members
		if n := f.Program.Replicas; p.Name == program.Name && n > 0 {
			// Replicas that the Deployment was never asked for are no members that were lost: this is
			// what brings them. For every other part they are missing.
			counted = slices.Clone(members)
			own := &counted[len(counted)-1]
			own.Desired = min(own.Desired, n)
		}
		switch q := quorum.MayDisrupt(p.Name, counted); {
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
