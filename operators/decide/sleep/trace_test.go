// SPDX-License-Identifier: Apache-2.0

package sleep

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gotest.tools/v3/golden"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// world is a service that does what is decided, a little in each step. Its decisions are made
// from what can be seen of it alone.
type world struct {
	asked common.Activity
	// status is what was written down: the phase, and whether the program was seen drained.
	was     common.SleepPhase
	drained bool

	told             bool  // the edge is told to be closed
	closed           bool  // the replicas let nobody in
	inFlight, outbox int64 // what was accepted and is not at its place yet
	replicas, there  int32
	proved           bool
	hibernating      bool
	instances        int32
	trace            strings.Builder
	broken           []string // rules that were broken
	random           *rand.Rand
}

func awake() *world {
	return &world{asked: common.ActivityAwake, was: common.SleepAwake, replicas: 2, there: 2, proved: true, instances: 3, inFlight: 2, outbox: 3}
}

func (w *world) facts() Facts {
	f := Facts{Asked: w.asked, Was: w.was, Edge: Edge{Closed: w.told}}
	f.Program = Program{Exists: true, Known: true, Asked: w.replicas, There: w.there, Serving: min(w.there, w.replicas), Proved: w.proved, Drained: w.drained}
	f.Database = Database{Exists: true, Hibernating: w.hibernating, Hibernated: w.hibernating && w.instances == 0, Writable: !w.hibernating && w.instances >= 2}
	switch {
	case w.told && w.there > 0 && (!w.closed || w.inFlight > 0):
		f.Edge.Admitting = []string{"r"}
	case w.told && w.there > 0:
		f.Program.Outbox = &w.outbox
	case !w.told && w.there > 0 && w.closed:
		f.Edge.Refusing = []string{"r"}
	}
	return f
}

// step decides, does it, and lets time pass. A manager that is killed writes nothing down.
func (w *world) step(killed bool) Decision {
	d := Decide(w.facts())
	switch d.Act {
	case CloseEdge:
		w.told = true
	case OpenEdge:
		w.told = false
		w.must(w.there > 0 && w.instances >= 2, "clients are let in where nobody serves them")
	case StopProgram:
		w.replicas = 0
		w.must(w.closed && w.inFlight == 0 && w.outbox == 0, "the program is stopped before its work is done")
	case StartProgram:
		w.replicas, w.proved = 2, false
	case Hibernate:
		w.hibernating = true
		w.must(w.there == 0, "the database is stopped under the program")
	case Rouse:
		w.hibernating = false
	}
	if d.Phase == common.SleepAsleep {
		w.must(w.outbox == 0 && w.there == 0 && w.instances == 0, "asleep with something left")
	}
	line := strings.TrimRight(fmt.Sprintf("%-13s %-12s %s", d.Phase, d.Act, d.Message), " ")
	if said := w.trace.String(); !strings.HasSuffix(said, "\n"+line+"\n") && said != line+"\n" {
		w.trace.WriteString(line + "\n")
	}
	if !killed {
		w.was = d.Phase
		switch {
		case d.Act == RecordDrain:
			w.drained = true
		case d.Act == ForgetDrain:
			w.drained = false
		}
	}
	w.pass()
	return d
}

func (w *world) must(holds bool, rule string) {
	if !holds {
		w.broken = append(w.broken, rule)
	}
}

// pass is what the world does by itself: one thing at a time, each after the one that it needs.
func (w *world) pass() {
	switch {
	case w.there > 0 && w.closed != w.told:
		w.closed = w.told
	case w.inFlight > 0:
		w.inFlight-- // it ends, and its event is in the outbox
		w.outbox++
	case w.there > 0 && w.outbox > 0:
		w.outbox = max(w.outbox-3, 0)
	case w.there > w.replicas:
		w.there--
	case w.hibernating && w.instances > 0:
		w.instances--
	case !w.hibernating && w.instances < 3:
		w.instances++
	case w.there < w.replicas && w.instances >= 2:
		w.there++
		w.closed = w.told // a new replica reads the configuration when it starts
	case w.there > 0 && !w.proved:
		w.proved = true
	}
	if w.there > 0 && !w.closed && w.random != nil && w.random.IntN(3) == 0 {
		w.inFlight++
	}
}

func TestTraces(t *testing.T) {
	until := func(w *world, asked common.Activity, phase common.SleepPhase, act Act) {
		t.Helper()
		w.asked = asked
		for range 60 {
			if d := w.step(false); d.Phase == phase && (act == None || d.Act == act) {
				return
			}
		}
		t.Errorf("never %s %s:\n%s", phase, act, w.trace.String())
	}
	for name, play := range map[string]func(*world){
		"night": func(w *world) {
			until(w, common.ActivityAsleep, common.SleepAsleep, None)
			until(w, common.ActivityAwake, common.SleepAwake, None)
		},
		"turned-round": func(w *world) {
			until(w, common.ActivityAsleep, common.SleepFalling, Hibernate)
			until(w, common.ActivityAwake, common.SleepWaking, StartProgram)
			until(w, common.ActivityAsleep, common.SleepAsleep, None)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := awake()
			play(w)
			for _, rule := range w.broken {
				t.Error(rule)
			}
			golden.Assert(t, w.trace.String(), name+".trace")
		})
	}
}

// However often people change their minds and managers are killed or forget, nothing that was
// accepted is left behind, and the service gets where it is asked to be in the end.
func TestNoWayLosesWork(t *testing.T) {
	for seed := range uint64(3000) {
		w := awake()
		w.random = rand.New(rand.NewPCG(seed, 5))
		for range 40 {
			switch w.random.IntN(12) {
			case 0, 1:
				w.asked = common.ActivityAsleep
			case 2:
				w.asked = common.ActivityAwake
			case 3:
				w.was, w.drained = common.SleepAwake, false // status was lost
			}
			w.step(w.random.IntN(4) == 0)
		}
		end := common.SleepAwake
		if w.asked == common.ActivityAsleep {
			end = common.SleepAsleep
		}
		var d Decision
		for range 60 {
			if d = w.step(false); d.Phase == end {
				break
			}
		}
		if d.Phase != end || len(w.broken) > 0 {
			t.Fatalf("seed %d ends %s, asked %s: %v\n%s", seed, d.Phase, w.asked, w.broken, w.trace.String())
		}
	}
}
