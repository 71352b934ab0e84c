// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// seeds of the simulation. SIMULATION_SEED=N plays one again and prints its trace.
const seeds = 1000

// The engine under random schedules of faults and people: whatever happens, what must never
// happen does not, and every operation ends.
func TestSimulation(t *testing.T) {
	if one := os.Getenv("SIMULATION_SEED"); one != "" {
		seed, err := strconv.ParseUint(one, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		w := simulate(seed, nil)
		t.Log("\n" + w.trace.String())
		t.Log(strings.Join(w.wrong, "\n"))
		return
	}
	ends := map[api.Phase]int{}
	acts, crashes := 0, 0
	for seed := range uint64(seeds) {
		w := simulate(seed, nil)
		if len(w.wrong) > 0 {
			t.Fatalf("SIMULATION_SEED=%d go test -run TestSimulation -v plays this again:\n%s", seed, strings.Join(w.wrong, "\n"))
		}
		for _, r := range w.records {
			ends[r.status.Phase]++
			for _, s := range r.status.Steps {
				acts += int(s.Acts)
			}
		}
		crashes += strings.Count(w.trace.String(), "is killed")
	}
	t.Logf("%d seeds: %d acts, %d crashes, ends %v", seeds, acts, crashes, ends)
	for _, p := range []api.Phase{api.PhaseSucceeded, api.PhaseFailed, api.PhaseAborted} {
		if ends[p] < seeds/20 {
			t.Errorf("only %d operations ended %s: the schedules do not reach it", ends[p], p)
		}
	}
	if crashes < seeds || acts < seeds {
		t.Errorf("%d crashes and %d acts in %d seeds: too few to mean anything", crashes, acts, seeds)
	}
}

// simulate plays one seed: an hour of people and faults, then a day in peace.
func simulate(seed uint64, plant func(*world)) *world {
	w := newWorld(seed)
	if plant != nil {
		plant(w)
	}
	w.troubled = true
	people := newPeople(w)
	for end := w.now.Add(time.Hour); w.now.Before(end); w.now = w.now.Add(time.Duration(1+w.random.IntN(5)) * time.Second) {
		w.site.pass()
		people.act()
		w.fault()
		w.tick()
	}
	w.troubled = false
	for end := w.now.Add(50 * time.Minute); w.now.Before(end); w.now = w.now.Add(5 * time.Second) {
		w.site.pass()
		w.tick()
	}
	for end := w.now.Add(30 * time.Hour); w.now.Before(end); w.now = w.now.Add(10 * time.Minute) {
		w.site.pass()
		w.tick()
	}
	w.atTheEnd()
	return w
}

// tick lets the operator do what is due.
func (w *world) tick() {
	for _, name := range w.names {
		if r := w.records[name]; !r.due.IsZero() && !r.due.After(w.now) {
			w.reconcile(r)
		}
	}
}

// fault is what goes wrong in the site.
func (w *world) fault() {
	service := []string{"spine", "ers"}[w.random.IntN(2)]
	if w.random.IntN(1000) < 8 {
		w.site.lose(service, w.random.IntN(3), time.Duration(10+w.random.IntN(400))*time.Second)
		w.say("-- a member of %s is lost", service)
	}
	if w.random.IntN(1000) < 3 {
		w.site.image[service]++
		w.say("-- %s gets another image", service)
	}
	if w.random.IntN(1000) < 3 {
		w.rip(service)
	}
}

// rip takes a lease away from whoever has it, as a person might with kubectl.
func (w *world) rip(service string) {
	for _, key := range []string{"service-" + service, lease.Site} {
		l := w.leases[lease.Key(key, namespace)]
		if l == nil || ptr.Deref(l.Spec.HolderIdentity, "") == "" {
			continue
		}
		holder, err := lease.ParseHolder(*l.Spec.HolderIdentity)
		if err != nil {
			continue
		}
		w.ripped[holder.Name] = true
		w.say("-- somebody clears the lease of %s, which %s holds", key, holder.Name)
		l.Spec.HolderIdentity = nil
		l.ResourceVersion += "0"
	}
}

// atTheEnd everything has ended, and nothing is left behind.
func (w *world) atTheEnd() {
	for _, r := range w.records {
		switch {
		case ptr.Deref(r.spec.DryRun, true) && !r.spec.Abort:
			if r.status.Phase != api.PhasePlanned && r.status.Phase != api.PhaseBlocked {
				w.violate("dry run %s is %s at the end", r.name, r.status.Phase)
			}
			if len(r.status.Steps) > 0 {
				w.violate("dry run %s began", r.name)
			}
		case !r.status.Phase.Ended():
			w.violate("%s is still %s at the end: %s", r.name, r.status.Phase, r.status.Message)
		case r.status.Phase == api.PhaseAborted && beyond(r.status):
			w.violate("%s was aborted beyond its point of no return", r.name)
		case len(r.status.Leases) > 0:
			w.violate("%s still has leases at the end", r.name)
		case r.status.Phase == api.PhaseSucceeded && (r.status.Evidence == nil || r.status.Evidence.MeasuredLoss == nil || r.status.Evidence.RecoverySeconds == nil):
			w.violate("%s succeeded without evidence", r.name)
		case r.status.Phase == api.PhaseFailed && len(r.status.Blockers) == 0:
			w.violate("%s failed without a reason", r.name)
		}
	}
	for key, l := range w.leases {
		if holder := ptr.Deref(l.Spec.HolderIdentity, ""); holder != "" {
			w.violate("lease %s is still held by %s at the end", key.Name, holder)
		}
	}
}

// beyond says that the point of no return has begun.
func beyond(s api.OperationStatus) bool {
	for _, step := range s.Steps {
		if s.Plan.PointOfNoReturn == step.Name && step.State != api.StepPending {
			return true
		}
	}
	return false
}

// people ask for operations, approve them, change their minds, and make mistakes.
type people struct {
	w *world
	// plans of what each does, in order.
	plans []*intent
}

// intent is what becomes of one operation.
type intent struct {
	name           string
	action         api.Action
	service        string
	ask, run, nod  time.Time
	abort          time.Time
	wrong, glass   bool
	nodder         string
	nodLife        time.Duration
	asked, ran, ok bool
}

func newPeople(w *world) *people {
	p := &people{w: w}
	actions := []api.Action{api.ActionRestartRolling, api.ActionRebuildBroker, api.ActionRebuildBroker, api.ActionQuarantineSupplier}
	for i := range 3 + w.random.IntN(4) {
		at := w.now.Add(time.Duration(w.random.IntN(1500)) * time.Second)
		n := &intent{
			name: fmt.Sprintf("op-%d", i), action: actions[w.random.IntN(len(actions))], service: []string{"spine", "ers"}[w.random.IntN(2)],
			ask: at, run: at.Add(time.Duration(10+w.random.IntN(120)) * time.Second),
			wrong: w.chance(5), glass: w.chance(10), nodder: "bob", nodLife: time.Duration(30+w.random.IntN(1200)) * time.Second,
		}
		n.nod = n.run.Add(time.Duration(w.random.IntN(240)-60) * time.Second)
		if w.chance(15) {
			n.nodder = "alice" // who asked for it
		}
		if w.chance(20) {
			n.abort = n.run.Add(time.Duration(w.random.IntN(200)) * time.Second)
		}
		p.plans = append(p.plans, n)
	}
	return p
}

func (p *people) act() {
	w := p.w
	for _, n := range p.plans {
		r := w.records[n.name]
		planned := r != nil && r.status.Plan != nil && r.status.Plan.Digest != ""
		switch {
		case !n.asked && !w.now.Before(n.ask):
			n.asked = true
			w.ask(n.name, n.action, n.service, "alice")
		case planned && !n.ok && !w.now.Before(n.nod):
			n.ok = true
			w.approve(r, n.nodder, r.status.Plan.Digest, n.nodLife)
		case planned && !n.ran && !w.now.Before(n.run):
			n.ran = true
			w.really(r)
			if n.wrong {
				r.spec.PlanDigest = "sha256:another"
			}
			if n.glass {
				r.spec.BreakGlass = &api.BreakGlass{Reason: "nobody else is awake"}
			}
		case r != nil && !n.abort.IsZero() && !r.spec.Abort && !w.now.Before(n.abort):
			w.change(r, func(s *api.OperationSpec) { s.Abort = true })
			w.say("-- somebody aborts %s", n.name)
		}
	}
}
