// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// world is a service that does what is decided, in steps of ten seconds.
type world struct {
	now                time.Time
	parts              []Part
	left               []int // steps until a changing part is whole again
	program            Program
	programLeft        int
	bad                map[string]bool // images with which the deep probe fails
	failing            bool            // the deep probe fails whatever the image
	failures           int
	passed             time.Time
	wantDB, wantBroker int
	haveDB, haveBroker int
	blind              bool // the engines' operators do not say that they are changing anything
	operation          string
	trace              strings.Builder
}

func newWorld(image string) *world {
	return &world{
		now:     time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC),
		parts:   []Part{part("database", 3), part("broker", 3), part("gateway", 2)},
		left:    make([]int, 3),
		program: Program{Wanted: image}, bad: map[string]bool{},
	}
}

func part(name string, n int32) Part {
	return Part{Part: quorum.Part{Name: name, Known: true, Desired: n}}
}

// healthy is a world in which the image has worked for long.
func healthy(image string) *world {
	w := newWorld(image)
	for i := range w.parts {
		w.parts[i].Exists, w.parts[i].Ready = true, w.parts[i].Desired
	}
	w.program = Program{Wanted: image, Current: image, LastGood: image, Complete: true}
	return w
}

func (w *world) step() {
	for i := range w.parts {
		p := &w.parts[i]
		if w.left[i] > 0 {
			if w.left[i]--; w.left[i] == 0 {
				p.Ready, p.Changing = p.Desired, false
			}
		}
	}
	if w.programLeft > 0 {
		if w.programLeft--; w.programLeft == 0 {
			w.program.Complete = true
		}
	}
	if up := w.parts[0].Ready > 0 && w.parts[2].Ready > 0 && !w.failing && !w.bad[w.program.Current]; up {
		w.failures, w.passed = 0, w.now
	} else {
		w.failures++
	}
	w.parts[0].Pending = w.parts[0].Exists && w.wantDB != w.haveDB
	w.parts[1].Pending = w.parts[1].Exists && w.wantBroker != w.haveBroker
	w.parts[2].Pending = w.parts[2].Exists && w.program.Image() != w.program.Current
	probe := Probe{Failing: w.failures >= 3, PassedAt: w.passed, Stage: "ledger"}
	d := Decide(Facts{Now: w.now, Operation: w.operation, Deadline: 5 * time.Minute, Parts: w.parts, Program: w.program, Probe: probe, Image: probe})
	w.program = d.Program
	for _, name := range d.Apply {
		w.apply(name)
	}
	line := fmt.Sprintf("%s %s apply=%v image=%s: %s", w.now.Format("15:04:05"), d.State, d.Apply, d.Program.Current, d.Message)
	if !strings.Contains(w.trace.String(), line[9:]+"\n") || len(d.Apply) > 0 {
		w.trace.WriteString(line + "\n")
	}
	w.now = w.now.Add(10 * time.Second)
}

func (w *world) apply(name string) {
	for i := range w.parts {
		p := &w.parts[i]
		if p.Name != name {
			continue
		}
		if p.Exists && i < 2 && !w.blind {
			p.Ready-- // a rolling change takes one member at a time
		}
		p.Exists, p.ChangedAt, p.Changing, w.left[i] = true, w.now, !w.blind, 4
		switch i {
		case 0:
			w.haveDB = w.wantDB
		case 1:
			w.haveBroker = w.wantBroker
		case 2:
			w.program.Complete, w.programLeft, p.Changing = false, 6, false
		}
	}
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.trace, "-- "+format+"\n", args...)
}

func (w *world) run(steps int) *world {
	for range steps {
		w.step()
	}
	return w
}

func TestTraces(t *testing.T) {
	for name, play := range map[string]func() *world{
		"install": func() *world { return newWorld("v1").run(16) },
		"everything changes at once": func() *world {
			w := healthy("v1")
			w.wantDB, w.wantBroker, w.program.Wanted = 1, 1, "v2"
			w.say("database, broker and gateway get new images")
			return w.run(24)
		},
		"bad image goes back": func() *world {
			w := healthy("v1")
			w.bad["v2"], w.program.Wanted = true, "v2"
			w.say("the gateway gets v2, with which the deep probe fails")
			w.run(16)
			w.program.Wanted = "v3"
			w.say("a person asks for v3")
			return w.run(10)
		},
		"a member is missing": func() *world {
			w := healthy("v1")
			w.parts[1].Ready, w.wantDB = 2, 1
			w.say("a broker is down and the database should change")
			w.run(3)
			w.parts[1].Ready = 3
			w.say("the broker is back")
			return w.run(3)
		},
		"operators are slow to look": func() *world {
			w := healthy("v1")
			w.blind, w.wantDB, w.wantBroker = true, 1, 1
			w.say("database and broker should change, and their operators have not looked yet")
			return w.run(6)
		},
		"an operation is running": func() *world {
			w := healthy("v1")
			w.operation, w.wantDB, w.program.Wanted = "ServiceRecovery spine-messaging/rebuild", 1, "v2"
			w.say("an operation begins; database and gateway should change, and somebody deletes the broker")
			w.parts[1].Exists, w.parts[1].Ready = false, 0
			w.run(8)
			w.operation = ""
			w.say("the operation has ended")
			return w.run(16)
		},
		"a part is unknown": func() *world {
			w := healthy("v1")
			w.parts[1].Known, w.wantDB = false, 1
			w.say("nobody knows how the broker is, and the database should change")
			return w.run(3)
		},
		"the deep probe fails already": func() *world {
			w := healthy("v1")
			w.failing, w.failures, w.wantDB, w.program.Wanted = true, 3, 1, "v2"
			w.say("the deep probe fails, then database and gateway should change")
			w.run(4)
			w.failing = false
			w.say("the deep probe passes")
			return w.run(12)
		},
		"a fix gets in": func() *world {
			w := healthy("v1")
			w.bad["v1"], w.failures = true, 3
			w.say("v1, which was good, has begun to fail, and a broker is down")
			w.parts[1].Ready = 2
			w.program.Wanted = "v2"
			w.say("a person asks for v2, which mends it")
			w.run(3)
			w.parts[1].Ready = 3
			w.say("the broker is back")
			return w.run(12)
		},
		"first image never works": func() *world {
			w := newWorld("v1")
			w.bad["v1"] = true
			w.run(45)
			w.program.Wanted = "v2"
			w.say("a person asks for v2")
			return w.run(12)
		},
		"both images stop working": func() *world {
			w := healthy("v1")
			w.bad["v2"], w.program.Wanted = true, "v2"
			w.run(3)
			w.failing = true
			w.say("something else breaks during the change")
			w.run(12)
			w.failing = false
			w.say("and is repaired")
			return w.run(4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := play().trace.String()
			golden.Assert(t, got, strings.ReplaceAll(name, " ", "-")+".txt")
		})
	}
}
