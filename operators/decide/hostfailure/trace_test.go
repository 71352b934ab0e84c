// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// world is a rack of three hosts with a manager that looks at it every 2 s, and operations
// that take as long as they do there.
type world struct {
	t    *testing.T
	now  time.Time
	api  bool
	host map[string]*Sighting
	// stopped hosts send no heartbeat.
	stopped    map[string]bool
	memory     Memory
	operations []Operation
	trace      strings.Builder
	last       string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: now, api: true, host: map[string]*Sighting{}, stopped: map[string]bool{}}
	for _, name := range []string{"a", "b", "c"} {
		w.host[name] = &Sighting{Name: name, Ready: true, Kubelet: Serves, SSH: Serves, Managed: true, Power: PowerOn}
	}
	return w
}

func (w *world) note(format string, args ...any) {
	fmt.Fprintf(&w.trace, "%4.0f s  %s\n", w.now.Sub(now).Seconds(), fmt.Sprintf(format, args...))
}

// do something to the rack, which the trace tells.
func (w *world) do(what string, change func()) {
	w.note("* %s", what)
	change()
}

func (w *world) off(name string) {
	h := w.host[name]
	h.Kubelet, h.SSH, h.Power, w.stopped[name] = Silent, Silent, PowerOff, true
}

func (w *world) on(name string) {
	h := w.host[name]
	h.Kubelet, h.SSH, h.Power, w.stopped[name] = Serves, Serves, PowerOn, false
}

// run lets time pass, and does what is decided as the engine would.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(Pace) {
		w.carryOn()
		var seen []Sighting
		for _, name := range []string{"a", "b", "c"} {
			if !w.stopped[name] {
				w.host[name].Renewed = w.now
			}
			seen = append(seen, *w.host[name])
		}
		w.memory.Look(w.now, w.api, seen)
		f := w.memory.Facts()
		f.Operations, f.Rest = w.operations, 2*time.Minute
		dec := Decide(f)
		// Numbers of seconds differ with every look.
		if line := fmt.Sprintf("%s %s %s", dec.Verdict, dec.Host, dec.Reason); line != w.last {
			w.last = line
			w.note("%s: %s%s", dec.Verdict, dec.Message, map[bool]string{true: " [" + dec.Reason + "]"}[dec.Reason != ""])
		}
		if action := map[Verdict]api.Action{Fence: api.ActionFenceHost, Return: api.ActionReturnHost}[dec.Verdict]; action != "" {
			w.operations = append(w.operations, Operation{
				Name: fmt.Sprintf("op-%d", len(w.operations)+1), Host: dec.Host, Action: action, Own: true, Phase: api.PhaseRunning, At: w.now,
			})
		}
	}
}

// carryOn plays the engine: a fence takes 4 s, a return 20 s.
func (w *world) carryOn() {
	for i := range w.operations {
		o := &w.operations[i]
		took := w.now.Sub(o.At)
		switch {
		case o.Phase.Ended():
		case o.Action == api.ActionFenceHost && took >= 4*time.Second:
			w.off(o.Host)
			w.host[o.Host].Fenced = true
			o.Phase = api.PhaseSucceeded
		case o.Action == api.ActionReturnHost && took >= 20*time.Second:
			w.on(o.Host)
			w.host[o.Host].Fenced = false
			o.Phase = api.PhaseSucceeded
		}
	}
}

// TestTraces: how failures are met, as a person reads it.
func TestTraces(t *testing.T) {
	for name, play := range map[string]func(*world){
		"power-cut": func(w *world) {
			w.run(20 * s)
			w.do("host b loses its power", func() { w.off("b") })
			w.run(4 * time.Minute)
		},
		"frozen": func(w *world) {
			w.run(20 * s)
			w.do("host b stands still: its kernel answers, nothing on it runs", func() {
				w.host["b"].Kubelet, w.host["b"].SSH, w.stopped["b"] = Answers, Answers, true
			})
			w.run(time.Minute)
		},
		"cable-pulled": func(w *world) {
			w.run(20 * s)
			w.do("host b's network is cut, its controller's is not", func() {
				w.host["b"].Kubelet, w.host["b"].SSH, w.stopped["b"] = Silent, Silent, true
			})
			w.run(time.Minute)
		},
		"reboot": func(w *world) {
			w.run(20 * s)
			w.do("host b reboots", func() { w.host["b"].Kubelet, w.host["b"].SSH, w.stopped["b"] = Silent, Silent, true })
			w.run(6 * s)
			w.do("its SSH daemon is back", func() { w.host["b"].SSH = Serves })
			w.run(8 * s)
			w.do("its kubelet is back", func() { w.on("b") })
			w.run(time.Minute)
		},
		"switch-died": func(w *world) {
			w.run(20 * s)
			w.do("the manager's host is cut off from both others", func() {
				for _, h := range []string{"b", "c"} {
					w.host[h].Kubelet, w.host[h].SSH, w.stopped[h] = Silent, Silent, true
				}
			})
			w.run(time.Minute)
			w.do("the network is back", func() { w.on("b"); w.on("c") })
			w.run(30 * s)
		},
		"api-lost-with-host": func(w *world) {
			w.run(20 * s)
			w.do("host a loses its power, and the API its address; no heartbeat gets through", func() {
				w.off("a")
				w.api = false
			})
			w.run(10 * s)
			w.do("the API has moved to another host", func() { w.api = true })
			w.run(30 * s)
		},
		"second-failure": func(w *world) {
			w.run(20 * s)
			w.do("host b loses its power", func() { w.off("b") })
			w.run(20 * s)
			w.do("host c loses its power", func() { w.off("c") })
			w.run(time.Minute)
		},
		"flapping": func(w *world) {
			w.run(20 * s)
			w.do("host b loses its power", func() { w.off("b") })
			w.run(10 * time.Minute)
			w.do("host b loses its power again", func() { w.off("b") })
			w.run(10 * time.Minute)
		},
		"manager-stood-still": func(w *world) {
			w.run(20 * s)
			w.do("host b loses its power, and the manager stands still for a minute", func() { w.off("b") })
			w.now = w.now.Add(time.Minute)
			w.run(30 * s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			play(w)
			golden.Assert(t, w.trace.String(), name+".trace")
		})
	}
}

// A host that leaves the cluster is forgotten, and known hosts are not while the API is away.
func TestMemory(t *testing.T) {
	var m Memory
	names := func() []string {
		var out []string
		for _, h := range m.Facts().Hosts {
			out = append(out, h.Name)
		}
		return out
	}
	m.Look(now, true, []Sighting{{Name: "a", Ready: true, Renewed: now}, {Name: "b", Ready: true, Renewed: now}})
	m.Look(now.Add(2*s), false, []Sighting{{Name: "a"}, {Name: "b"}})
	if f := m.Facts(); !slices.Equal(names(), []string{"a", "b"}) || !f.Hosts[0].Ready || f.Hosts[0].HeartbeatAge != 2*s || f.APISilentFor != 2*s {
		t.Errorf("without the API: %+v", f)
	}
	m.Look(now.Add(4*s), true, []Sighting{{Name: "a", Renewed: now.Add(3 * s)}})
	if f := m.Facts(); !slices.Equal(names(), []string{"a"}) || f.Hosts[0].HeartbeatAge != 0 || f.WatchedFor != 4*s {
		t.Errorf("with it: %+v", f)
	}
	m.Look(now.Add(s), true, nil)
	if f := m.Facts(); f.WatchedFor != 0 {
		t.Errorf("a clock that went back: %+v", f)
	}
}
