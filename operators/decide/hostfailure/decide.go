// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"fmt"
	"strings"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Verdict is what is done about hosts.
type Verdict string

const (
	// Well: nothing is to be done.
	Well Verdict = "Well"
	// Watch: something may be wrong; wait for a second signal, or for longer.
	Watch Verdict = "Watch"
	// Blind: the manager does not know enough to conclude anything.
	Blind Verdict = "Blind"
	// CutOff: the manager itself is cut off. A rack that lost its network is not a rack that died.
	CutOff Verdict = "CutOff"
	// Storm: several hosts are down at once. People decide.
	Storm Verdict = "Storm"
	// Unmanaged: a host has failed, and nobody can switch it off for certain.
	Unmanaged Verdict = "Unmanaged"
	// Contradiction: signals of a host exclude each other. People decide.
	Contradiction Verdict = "Contradiction"
	// LeaveAlone: somebody is at work on hosts.
	LeaveAlone Verdict = "LeaveAlone"
	// Resting: a host has failed too shortly after another action.
	Resting Verdict = "Resting"
	// Fence the host.
	Fence Verdict = "Fence"
	// Return the host, which was fenced without hands.
	Return Verdict = "Return"
	// Busy: an operation that the manager asked for is under way.
	Busy Verdict = "Busy"
)

// Decision is a verdict and why.
type Decision struct {
	// Verdict over the site's hosts.
	Verdict Verdict
	// Host that it is about; empty when it is about none in particular.
	Host string
	// Operation that is under way; nil with any verdict but Busy and LeaveAlone.
	Operation *Operation
	// Reason has a page in runbooks/: a person is needed. Empty when none is.
	Reason string
	// Message for people.
	Message string
}

// site is the facts with every host's judgement.
type site struct {
	Facts
	judged []Judgement
}

// Decide what is done. The rules stand in the order of what makes the later ones worthless.
func Decide(f Facts) Decision {
	s := site{f, f.Judge()}
	for _, rule := range []func(site) *Decision{
		settling,      // who has only begun to look knows nothing
		apiSilent,     // without the API nothing is known of heartbeats and operations, and nothing can be done
		cutOff,        // before the storm: whoever is cut off sees one
		storm,         // before everything that acts
		contradictory, // before acting: the inventory may be wrong for other hosts too
		underWay,      // one at a time
		failed,
		fenced,
		doubtful,
	} {
		if d := rule(s); d != nil {
			return *d
		}
	}
	return Decision{Verdict: Well, Message: fmt.Sprintf("%d hosts are well", len(f.Hosts))}
}

func settling(s site) *Decision {
	if s.WatchedFor >= settleAfter {
		return nil
	}
	return &Decision{Verdict: Blind, Message: fmt.Sprintf("the manager has looked at hosts for %s only", seconds(s.WatchedFor))}
}

func apiSilent(s site) *Decision {
	if s.APISilentFor < apiAfter {
		return nil
	}
	return &Decision{Verdict: Blind, Message: fmt.Sprintf("the API has not answered for %s", seconds(s.APISilentFor))}
}

// cutOff: a majority of hosts has to answer, fenced ones aside.
func cutOff(s site) *Decision {
	answering, asked := 0, 0
	for i, h := range s.Hosts {
		if s.judged[i].State == StateFenced {
			continue
		}
		asked++
		if h.SilentFor < lasting {
			answering++
		}
	}
	if answering*2 > asked {
		return nil
	}
	return &Decision{Verdict: CutOff, Reason: api.ReasonManyHostsDown, Message: fmt.Sprintf(
		"%d of %d hosts answer the manager, no majority: it may be cut off itself, so nothing is fenced", answering, asked)}
}

// storm counts hosts that are out already: a second failure is never handled without hands.
func storm(s site) *Decision {
	var down []string
	fresh := 0
	for i, h := range s.Hosts {
		state := s.judged[i].State
		// One signal that lasts is enough to count here: this rule keeps from acting.
		if state.Failed() || state != StateFenced && (h.SilentFor >= lasting || h.Power == PowerOff && h.MuteFor > 0) {
			down, fresh = append(down, h.Name), fresh+1
		} else if state == StateFenced {
			down = append(down, h.Name)
		}
	}
	if fresh == 0 || len(down) < 2 && len(down)*3 <= len(s.Hosts) {
		return nil
	}
	return &Decision{Verdict: Storm, Reason: api.ReasonManyHostsDown, Message: fmt.Sprintf(
		"%d of %d hosts are down (%s): nothing is fenced or returned without hands", len(down), len(s.Hosts), strings.Join(down, ", "))}
}

func contradictory(s site) *Decision {
	for i, h := range s.Hosts {
		if s.judged[i].State == StateContradictory {
			return &Decision{Verdict: Contradiction, Host: h.Name, Reason: api.ReasonHostUnmanaged, Message: fmt.Sprintf(
				"host %s: %s: the inventory may name another machine's controller, so nothing is fenced", h.Name, s.judged[i].Why)}
		}
	}
	return nil
}

func underWay(s site) *Decision {
	for i := range s.Operations {
		o := &s.Operations[i]
		if !o.live() {
			continue
		}
		d := &Decision{Verdict: Busy, Host: o.Host, Operation: o, Message: fmt.Sprintf("%s of host %s (%s) is %s", o.Action, o.Host, o.Name, phase(o))}
		if !o.Own {
			d.Verdict = LeaveAlone
		}
		return d
	}
	return nil
}

func phase(o *Operation) string {
	if o.Phase == "" {
		return "new"
	}
	return string(o.Phase)
}

// failed is about the one host that has failed, as the storm has ruled out a second.
func failed(s site) *Decision {
	for i, h := range s.Hosts {
		if !s.judged[i].State.Failed() {
			continue
		}
		why := fmt.Sprintf("host %s has failed: %s", h.Name, s.judged[i].Why)
		last := s.lastFence()
		switch {
		case h.Cordoned:
			return &Decision{Verdict: LeaveAlone, Host: h.Name, Message: why + "; it is cordoned, so somebody is at work on it"}
		case !h.Managed:
			return &Decision{Verdict: Unmanaged, Host: h.Name, Reason: api.ReasonHostUnmanaged, Message: why + "; it has no management controller in the inventory"}
		case h.Power == PowerUnknown:
			return &Decision{Verdict: Unmanaged, Host: h.Name, Reason: api.ReasonHostUnmanaged, Message: why + "; its management controller does not say whether it has power"}
		case !s.otherController(h.Name):
			return &Decision{Verdict: CutOff, Host: h.Name, Reason: api.ReasonHostUnmanaged, Message: why +
				"; no other host's management controller answers, so the manager may be cut off from their network"}
		case last != nil && s.Now.Sub(last.At) < restAfter:
			return &Decision{Verdict: Resting, Host: h.Name, Reason: api.ReasonCoolingDown, Message: fmt.Sprintf(
				"%s; host %s was fenced %s ago, and nothing is for %s after that", why, last.Host, seconds(s.Now.Sub(last.At)), seconds(restAfter))}
		}
		return &Decision{Verdict: Fence, Host: h.Name, Message: why}
	}
	return nil
}

// otherController says whether some other host's controller answers. A site of one managed
// host has none, and never gets here: its only host is a majority.
func (s site) otherController(name string) bool {
	for _, h := range s.Hosts {
		if h.Name != name && h.Power != PowerUnknown {
			return true
		}
	}
	return false
}

// lastFence that the manager asked for, of any host; nil when it never did.
func (s site) lastFence() *Operation {
	return s.last(func(o Operation) bool { return o.Own && o.Action == api.ActionFenceHost })
}

func (s site) last(match func(Operation) bool) *Operation {
	var last *Operation
	for i, o := range s.Operations {
		if match(o) && (last == nil || o.At.After(last.At)) {
			last = &s.Operations[i]
		}
	}
	return last
}

// fenced returns what the manager fenced, once, when it has rested.
func fenced(s site) *Decision {
	for i, h := range s.Hosts {
		if s.judged[i].State != StateFenced {
			continue
		}
		last := s.last(func(o Operation) bool { return o.Host == h.Name && !(o.DryRun && !o.Own) })
		rest := time.Duration(0)
		if last != nil {
			rest = s.Rest - s.Now.Sub(last.At)
		}
		switch {
		case last == nil || !last.Own:
			return &Decision{Verdict: LeaveAlone, Host: h.Name, Message: fmt.Sprintf("host %s was put out of service by a person, who returns it", h.Name)}
		case last.Action == api.ActionReturnHost:
			return &Decision{Verdict: LeaveAlone, Host: h.Name, Reason: api.ReasonStepFailed, Message: fmt.Sprintf(
				"host %s could not be returned (%s): mend it, then ask for ReturnHost", h.Name, last.Name)}
		case s.flaps(h.Name):
			return &Decision{Verdict: LeaveAlone, Host: h.Name, Reason: api.ReasonCoolingDown, Message: fmt.Sprintf(
				"host %s was fenced twice within %s: find out why, then ask for ReturnHost", h.Name, flapWithin)}
		case s.anyDoubt():
			return &Decision{Verdict: Watch, Host: h.Name, Message: fmt.Sprintf("host %s waits to be returned until all others are well", h.Name)}
		case rest > 0 && !h.back():
			return &Decision{Verdict: Resting, Host: h.Name, Message: fmt.Sprintf("host %s is returned in %s", h.Name, seconds(rest))}
		}
		return &Decision{Verdict: Return, Host: h.Name, Message: fmt.Sprintf("host %s was fenced by %s and is to be taken back", h.Name, last.Name)}
	}
	return nil
}

// back says that a fenced host is ready by itself: somebody switched it on again.
func (h Host) back() bool { return h.Ready && h.DeafFor == 0 && h.HeartbeatAge <= freshWithin }

// flaps says that the manager fenced the host more than once lately.
func (s site) flaps(name string) bool {
	n := 0
	for _, o := range s.Operations {
		if o.Own && o.Host == name && o.Action == api.ActionFenceHost && s.Now.Sub(o.At) < flapWithin {
			n++
		}
	}
	return n > 1
}

func (s site) anyDoubt() bool {
	for _, j := range s.judged {
		if j.State != StateWell && j.State != StateFenced {
			return true
		}
	}
	return false
}

func doubtful(s site) *Decision {
	for i, h := range s.Hosts {
		if s.judged[i].State == StateDoubtful {
			return &Decision{Verdict: Watch, Host: h.Name, Message: fmt.Sprintf("host %s: %s", h.Name, s.judged[i].Why)}
		}
	}
	return nil
}
