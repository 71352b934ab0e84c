// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/golden"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// three hosts that hold up a database, a broker, gateways and the cluster's own store.
func whole() Facts {
	f := Facts{Host: "b", Nodes: []Node{{Name: "a", Ready: true}, {Name: "b", Ready: true}, {Name: "c", Ready: true}}}
	part := func(name string, quorum bool, hosts ...string) {
		p := Part{Name: name, Known: true, Desired: int32(len(hosts)), Quorum: quorum}
		for i, h := range hosts {
			p.Members = append(p.Members, Member{Pod: fmt.Sprintf("m/%s-%d", name, i), Node: h, Ready: true})
		}
		f.Parts = append(f.Parts, p)
	}
	part("database", true, "a", "b", "c")
	part("broker", true, "a", "b", "c")
	part("gateway", false, "a", "b")
	part("etcd", true, "a", "b", "c")
	for _, name := range []string{"database-1", "gateway-1", "broker-1", "operator-0"} {
		f.Pods = append(f.Pods, Pod{Namespace: "m", Name: name, GraceSeconds: 30})
	}
	f.Pods[1].GraceSeconds = 140
	return f
}

func (f *Facts) lose(part, member int) { f.Parts[part].Members[member].Ready = false }

func TestDecisions(t *testing.T) {
	none := Power{}
	off := Power{Off: true}
	broken := Power{Problem: "the controller does not answer"}
	for name, c := range map[string]struct {
		change func(*Facts)
		decide func(Facts) Decision
		want   string // reasons of the blockers, in order
		words  string // of the first
	}{
		"drain":                       {func(*Facts) {}, PlanDrain, "", ""},
		"drain nobody":                {func(f *Facts) { f.Host = "z" }, PlanDrain, api.ReasonTargetNotFound, "expected one of a, b, c"},
		"drain a lost host":           {func(f *Facts) { f.Nodes[1].Ready = false }, PlanDrain, api.ReasonNotApplicable, "use FenceHost"},
		"drain a fenced host":         {func(f *Facts) { f.Nodes[1].Fenced = true }, PlanDrain, api.ReasonNotApplicable, "out of service already"},
		"drain beside a drained":      {func(f *Facts) { f.Nodes[0].Cordoned = true }, PlanDrain, api.ReasonQuorumAtRisk, "host a is not in service"},
		"drain, member missing":       {func(f *Facts) { f.lose(0, 2) }, PlanDrain, api.ReasonQuorumAtRisk, "the database would be left with 1 of 3 members, and needs 2"},
		"drain, own member missing":   {func(f *Facts) { f.lose(0, 1) }, PlanDrain, "", ""},
		"drain, own member waits":     {func(f *Facts) { f.Parts[1].Members[1] = Member{Pod: "m/broker-1"} }, PlanDrain, "", ""},
		"drain, a standby astray":     {func(f *Facts) { f.Parts[0].Members[2].Astray = true }, PlanDrain, api.ReasonQuorumAtRisk, "the database would be left with 1 of 3 members"},
		"drain, own astray":           {func(f *Facts) { f.Parts[0].Members[1].Astray = true }, PlanDrain, "", ""},
		"drain, last gateway":         {func(f *Facts) { f.lose(2, 0) }, PlanDrain, api.ReasonQuorumAtRisk, "the gateway would be left with 0"},
		"drain, unknown":              {func(f *Facts) { f.Parts[0].Known = false }, PlanDrain, api.ReasonStateUnknown, "database are not known"},
		"drain, member on lost host":  {func(f *Facts) { f.Nodes[0].Ready = false }, PlanDrain, strings.Repeat(api.ReasonQuorumAtRisk+" ", 5), "host a is not in service"},
		"fence the dead":              {func(f *Facts) { f.Nodes[1].Ready = false }, fence(none, false), "", ""},
		"fence the dead, not told":    {func(*Facts) {}, fence(none, false), "", ""},
		"fence the living":            {func(*Facts) {}, fence(none, true), "", ""},
		"fence the living, one away":  {func(f *Facts) { f.lose(1, 0) }, fence(none, true), api.ReasonQuorumAtRisk, "the broker"},
		"fence the dead, gateway":     {func(f *Facts) { f.lose(2, 0) }, fence(none, false), "", ""},
		"fence the dead, no quorum":   {func(f *Facts) { f.lose(3, 0) }, fence(none, false), api.ReasonQuorumAtRisk, "the etcd has 1 of 3 members without this host, and needs 2"},
		"fence beside a lost one":     {func(f *Facts) { f.Nodes[2].Ready = false }, fence(none, false), api.ReasonManyHostsDown + strings.Repeat(" "+api.ReasonQuorumAtRisk, 3), "host c"},
		"fence beside a drained":      {func(f *Facts) { f.Nodes[2].Cordoned = true }, fence(none, false), "", ""},
		"fence, no controller":        {func(*Facts) {}, fence(broken, false), api.ReasonHostUnmanaged, "nothing is released of a host that may still run"},
		"fence nobody":                {func(f *Facts) { f.Host = "z" }, fence(none, false), api.ReasonTargetNotFound, ""},
		"return what serves":          {func(*Facts) {}, comeBack(none), api.ReasonNotApplicable, "in service already"},
		"return the drained":          {func(f *Facts) { f.Nodes[1].Cordoned = true }, comeBack(none), "", ""},
		"return the fenced":           {func(f *Facts) { f.Nodes[1].Fenced, f.Nodes[1].Ready = true, false }, comeBack(off), "", ""},
		"return, no controller":       {func(f *Facts) { f.Nodes[1].Fenced, f.Nodes[1].Ready = true, false }, comeBack(broken), api.ReasonHostUnmanaged, "switch it on by hand"},
		"return by hand":              {func(f *Facts) { f.Nodes[1].Fenced = true }, comeBack(broken), "", ""},
		"return while others are not": {func(f *Facts) { f.Nodes[1].Fenced = true; f.Nodes[0].Ready = false; f.lose(0, 0) }, comeBack(none), "", ""},
		"return nobody":               {func(f *Facts) { f.Host = "z" }, comeBack(none), api.ReasonTargetNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := whole()
			c.change(&f)
			d := c.decide(f)
			var reasons []string
			for _, b := range d.Blockers {
				reasons = append(reasons, b.Reason)
			}
			if got := strings.Join(reasons, " "); got != strings.TrimSpace(c.want) {
				t.Fatalf("got %v", d.Blockers)
			}
			if len(d.Blockers) > 0 && !strings.Contains(d.Blockers[0].Message, c.words) {
				t.Errorf("%q lacks %q", d.Blockers[0].Message, c.words)
			}
			if len(d.Blockers) == 0 && len(d.Plan.Steps) == 0 {
				t.Error("nothing holds it back, and it has no steps")
			}
		})
	}
}

func fence(p Power, alive bool) func(Facts) Decision {
	return func(f Facts) Decision { return PlanFence(f, p, alive) }
}

func comeBack(p Power) func(Facts) Decision {
	return func(f Facts) Decision { return PlanReturn(f, p) }
}

func TestBeforeRelease(t *testing.T) {
	for _, c := range []struct {
		power Power
		want  string
	}{{Power{Off: true}, ""}, {Power{}, api.ReasonNotApplicable}, {Power{Problem: "x", Off: true}, api.ReasonHostUnmanaged}} {
		b := BeforeRelease("b", c.power)
		if len(b) > 0 != (c.want != "") || len(b) > 0 && b[0].Reason != c.want {
			t.Errorf("%+v: got %v", c.power, b)
		}
	}
}

func TestWhole(t *testing.T) {
	f := whole()
	if ok, message := f.Whole(); !ok {
		t.Error(message)
	}
	f.Parts[0].Members[2].Astray = true
	if ok, message := f.Whole(); ok || message != "the database has 2 of 3 members" {
		t.Errorf("with a standby astray: %v %q", ok, message)
	}
	f.Parts[0].Members[2].Astray = false
	f.lose(1, 0)
	if ok, message := f.Whole(); ok || message != "the broker has 2 of 3 members" {
		t.Errorf("got %v %q", ok, message)
	}
}

// Plans as a person reads them.
func TestPlans(t *testing.T) {
	var b strings.Builder
	show := func(name string, d Decision) {
		fmt.Fprintf(&b, "%s: %s\n", name, d.Plan.Summary)
		for _, s := range d.Plan.Steps {
			mark := ""
			if s.Name == d.Plan.PointOfNoReturn {
				mark = " (no return from here)"
			}
			fmt.Fprintf(&b, "  %-12s %s%s\n", s.Name, s.Summary, mark)
			for _, touched := range s.Touches {
				fmt.Fprintf(&b, "               touches %s\n", touched)
			}
		}
	}
	show("DrainHost", PlanDrain(whole()))
	lost := whole()
	lost.Nodes[1].Ready = false
	show("FenceHost", PlanFence(lost, Power{}, false))
	lost.Nodes[1].Fenced = true
	show("ReturnHost", PlanReturn(lost, Power{Off: true}))
	golden.Assert(t, b.String(), "plans.txt")
}

// Every pod of a host is moved once, and those of quorums alone.
func TestManyPods(t *testing.T) {
	f := whole()
	for i := range 100 {
		f.Pods = append(f.Pods, Pod{Namespace: "x", Name: fmt.Sprintf("p-%03d", i)})
	}
	seen := map[string]bool{}
	for _, s := range PlanDrain(f).Plan.Steps[1:] {
		if len(s.Touches) > maxTouches {
			t.Errorf("step %s touches %d", s.Name, len(s.Touches))
		}
		for _, p := range s.Touches {
			if seen[p] {
				t.Errorf("%s is moved twice", p)
			}
			seen[p] = true
			if len(s.Touches) > 1 && slices.Contains([]string{"Pod m/database-1", "Pod m/broker-1"}, p) {
				t.Errorf("%s is not moved alone", p)
			}
		}
	}
	if len(seen) != len(f.Pods) {
		t.Errorf("%d of %d pods are moved", len(seen), len(f.Pods))
	}
}

// FuzzQuorum: whatever is away, a quorum is never broken by taking one host more.
func FuzzQuorum(f *testing.F) {
	f.Add(uint16(0), uint8(0b111), uint8(1))
	f.Add(uint16(0b100), uint8(0b101), uint8(1))
	f.Fuzz(func(t *testing.T, unready uint16, up, target uint8) {
		facts := whole()
		facts.Host = []string{"a", "b", "c"}[target%3]
		bit := 0
		for p := range facts.Parts {
			for m := range facts.Parts[p].Members {
				facts.Parts[p].Members[m].Ready = unready&(1<<bit) == 0
				bit++
			}
		}
		for i := range facts.Nodes {
			facts.Nodes[i].Ready = up&(1<<i) != 0
		}
		for _, d := range []Decision{PlanDrain(facts), PlanFence(facts, Power{}, true), PlanFence(facts, Power{}, false)} {
			if len(d.Blockers) > 0 {
				continue
			}
			for _, p := range facts.Parts {
				if p.Quorum && facts.elsewhere(p) < 2 {
					t.Errorf("%s: allowed with %d of the %s left: %+v", d.Plan.Summary, facts.elsewhere(p), p.Name, facts)
				}
			}
		}
	})
}
