// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"fmt"
	"time"
)

// State of a host, in the manager's judgement.
type State string

const (
	// StateWell: no signal speaks against it.
	StateWell State = "Well"
	// StateDoubtful: a signal speaks against it, too few of them or not for long enough.
	StateDoubtful State = "Doubtful"
	// StateContradictory: its controller says that it has no power, and it speaks. The
	// inventory may name another machine's controller.
	StateContradictory State = "Contradictory"
	// StateOff: it has no power, and is silent.
	StateOff State = "Off"
	// StateSilent: neither its heartbeat nor any answer arrives.
	StateSilent State = "Silent"
	// StateFrozen: its kernel answers, no program does, and no heartbeat arrives.
	StateFrozen State = "Frozen"
	// StateDeaf: its kubelet is away, to the API and to the manager, while others speak.
	StateDeaf State = "Deaf"
	// StateFenced: it was put out of service.
	StateFenced State = "Fenced"
)

// Failed hosts are not what they should be by at least two signals, for long enough.
func (s State) Failed() bool {
	return s == StateOff || s == StateSilent || s == StateFrozen || s == StateDeaf
}

// Judgement of one host.
type Judgement struct {
	// State of it.
	State State
	// Why in words, for people; empty when it is well.
	Why string
}

// Judge one host. Heartbeats count only while someone's arrives (flowing).
func Judge(h Host, flowing bool) Judgement {
	lost := func(after time.Duration) bool { return flowing && h.HeartbeatAge >= after }
	switch {
	case h.Fenced:
		return Judgement{StateFenced, "it is out of service"}
	case h.Power == PowerOff && h.PowerFor >= Pace && h.MuteFor == 0:
		return Judgement{StateContradictory, "its management controller says that it has no power, and yet it speaks"}
	case h.Power == PowerOff && h.PowerFor >= Pace && h.SilentFor >= offAfter:
		return Judgement{StateOff, fmt.Sprintf("it has no power, and has been silent for %s", seconds(h.SilentFor))}
	case h.SilentFor >= silentAfter && lost(silentAfter):
		return Judgement{StateSilent, fmt.Sprintf("no answer for %s, no heartbeat for %s", seconds(h.SilentFor), seconds(h.HeartbeatAge))}
	case h.MuteFor >= frozenAfter && lost(frozenAfter):
		return Judgement{StateFrozen, fmt.Sprintf("it answers, but no program on it has spoken for %s, no heartbeat for %s",
			seconds(h.MuteFor), seconds(h.HeartbeatAge))}
	case h.DeafFor >= deafAfter && lost(deafAfter):
		return Judgement{StateDeaf, fmt.Sprintf("its kubelet has not spoken for %s, no heartbeat for %s", seconds(h.DeafFor), seconds(h.HeartbeatAge))}
	case h.SilentFor > 0:
		return Judgement{StateDoubtful, fmt.Sprintf("it has been silent for %s", seconds(h.SilentFor))}
	case h.MuteFor > 0:
		return Judgement{StateDoubtful, fmt.Sprintf("no program on it has spoken for %s", seconds(h.MuteFor))}
	case h.DeafFor > 0:
		return Judgement{StateDoubtful, fmt.Sprintf("its kubelet has not spoken for %s", seconds(h.DeafFor))}
	case lost(doubtAfter):
		return Judgement{StateDoubtful, fmt.Sprintf("no heartbeat for %s", seconds(h.HeartbeatAge))}
	}
	return Judgement{State: StateWell}
}

// Judge every host, in their order.
func (f Facts) Judge() []Judgement {
	flowing := false
	for _, h := range f.Hosts {
		flowing = flowing || h.HeartbeatAge <= freshWithin
	}
	var out []Judgement
	for _, h := range f.Hosts {
		out = append(out, Judge(h, flowing))
	}
	return out
}

func seconds(d time.Duration) string { return fmt.Sprintf("%d s", int(d.Seconds())) }
