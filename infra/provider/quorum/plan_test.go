// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"fmt"
	"strings"
	"testing"

	"gotest.tools/v3/golden"
)

const (
	target   = "v1.36.3"
	settings = "sha256:1"
)

// members reads "a b! c? d~ e@old f+": b is down, c's health is unknown, d is
// the leftover of a join, e runs the last version, f another configuration.
func members(spec string) []Member {
	var out []Member
	for word := range strings.FieldsSeq(spec) {
		m := Member{Name: strings.TrimRight(word, "!?~+"), Voter: true, Joined: true, Health: Healthy, Version: target, Configuration: settings}
		if name, ok := strings.CutSuffix(m.Name, "@old"); ok {
			m.Name, m.Version = name, "v1.36.2"
		}
		if strings.Contains(word, "+") {
			m.Configuration = "sha256:0"
		}
		switch {
		case strings.Contains(word, "!"):
			m.Health = Unhealthy
		case strings.Contains(word, "?"):
			m.Health = Unknown
		case strings.Contains(word, "~"):
			m.Joined, m.Voter, m.Health = false, false, Unhealthy
		}
		m.Name, m.MachineID = machine(m.Name)
		out = append(out, m)
	}
	return out
}

// machine reads "b" or "b/2", the second machine of that name.
func machine(word string) (name, id string) {
	name, n, ok := strings.Cut(word, "/")
	if !ok {
		n = "1"
	}
	return name, name + n
}

func situation(current, desired string) Situation {
	s := Situation{Current: members(current), Version: target, Configuration: settings}
	s.Existed = len(joinedMembers(s)) > 0
	for word := range strings.FieldsSeq(desired) {
		name, id := machine(word)
		s.Desired = append(s.Desired, Host{Name: name, MachineID: id})
	}
	return s
}

// cases are named after their trace.
var cases = []struct{ name, current, desired string }{
	{"new-one", "", "a"},
	{"new-three", "", "a b c"},
	{"new-after-broken-init", "a~", "a b c"},
	{"nothing-to-do", "a b c", "a b c"},
	{"nothing-to-do-while-down", "a b c!", "a b c"},
	{"nothing-to-do-while-unknown", "a? b? c?", "a b c"},
	{"join-after-broken-join", "a b c~", "a b c"},
	{"grow-one-to-three", "a", "a b c"},
	{"shrink-three-to-two", "a b c", "a b"},
	{"shrink-five-to-three", "a b c d e", "a b c"},
	{"replace-one", "a b c", "a b d"},
	{"replace-two", "a b c", "a d e"},
	{"replace-machine-of-same-name", "a b! c", "a b/2 c"},
	{"replace-healthy-machine-of-same-name", "a b c", "a b/2 c"},
	{"replace-dead-and-healthy", "a b c!", "a d e"},
	{"remove-dead", "a b c!", "a b"},
	{"upgrade-three", "a@old b@old c@old", "a b c"},
	{"upgrade-continues", "a b@old c@old", "a b c"},
	{"upgrade-one", "a@old", "a"},
	{"upgrade-and-replace", "a@old b@old c@old", "a b d"},
	{"upgrade-and-remove-dead", "a@old b@old c!", "a b"},
	{"configure-three", "a+ b+ c+", "a b c"},
	{"refused-none", "a b c", ""},
	{"refused-all-replaced", "a b c", "d e f"},
	{"refused-only-one-replaced", "a", "b"},
	{"refused-three-to-one", "a b c", "a"},
	{"refused-five-to-two", "a b c d e", "a b"},
	{"refused-healthy-while-down", "a b c!", "a c"},
	{"refused-replace-while-down", "a b! c", "a b d"},
	{"refused-upgrade-while-down", "a@old b@old c!", "a b c"},
	{"refused-unknown", "a b c?", "a b d"},
	{"refused-quorum-lost", "a b! c!", "a d e"},
	{"refused-quorum-lost-join", "a b! c!", "a b c d"},
}

// Each trace is the whole story of one change, for a person to read.
func TestTraces(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := situation(c.current, c.desired)
			got := fmt.Sprintf("from: %s\nto:   %s\n", c.current, c.desired) + trace(Decide(s))
			golden.Assert(t, got, c.name+".trace")
		})
	}
}

func trace(p Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintln(&b, s)
	}
	for _, r := range p.Blockers {
		fmt.Fprintf(&b, "refused, %s %v: %s; %s\n", r.Reason, r.Members, r.Message, r.Fix)
	}
	if len(p.Steps)+len(p.Blockers) == 0 {
		b.WriteString("nothing to do\n")
	}
	return b.String()
}

// A cluster that ran once is never started anew because it is not seen.
func TestNeverInitialisesOverAnExistingCluster(t *testing.T) {
	for _, current := range []string{"", "a~ b~"} {
		s := situation(current, "a b c")
		s.Existed = true
		p := Decide(s)
		if len(p.Steps) > 0 || len(p.Blockers) != 1 || p.Blockers[0].Reason != ClusterNotSeen {
			t.Errorf("with %q: %s", current, trace(p))
		}
	}
}

// Over all small situations: no step ever leaves fewer healthy voters than a
// quorum, steps lead to what is asked for, and deciding again after each step
// goes the same way.
func TestInvariants(t *testing.T) {
	states := []string{"", "a", "a!", "a~", "a@old", "a?"}
	checked := 0
	var visit func(prefix []string, names []string)
	visit = func(prefix, names []string) {
		if len(names) == 0 {
			for _, desired := range []string{"a", "a b", "a b c", "a b c d", "b c d", "d", "a/2 b c", "d a"} {
				invariant(t, strings.Join(prefix, " "), desired)
				checked++
			}
			return
		}
		for _, st := range states {
			visit(append(prefix[:len(prefix):len(prefix)], strings.Replace(st, "a", names[0], 1)), names[1:])
		}
	}
	visit(nil, []string{"a", "b", "c"})
	if checked < 1000 {
		t.Fatalf("only %d situations", checked)
	}
}

func invariant(t *testing.T, current, desired string) {
	s := situation(current, desired)
	p := Decide(s)
	if len(p.Blockers) > 0 {
		if len(p.Steps) > 0 {
			t.Errorf("%q to %q: steps although refused", current, desired)
		}
		return
	}
	for i, st := range p.Steps {
		whole := st.Action == Update && st.After.Healthy == st.After.Members
		if st.After.Members > 0 && st.After.Healthy < st.After.Quorum() && !whole {
			t.Errorf("%q to %q: %s loses quorum", current, desired, st)
		}
		s = after(s, st)
		s.Existed = true
		again := Decide(s)
		if len(joinedMembers(s)) == 0 {
			continue // before a new cluster's first member there is nothing to look at
		}
		if len(again.Blockers) > 0 || len(again.Steps) != len(p.Steps)-i-1 {
			t.Errorf("%q to %q: after %s decided again: %s", current, desired, st, trace(again))
			return
		}
	}
	if len(stayingMembers(s)) != len(s.Desired) || len(s.Current) != len(s.Desired) {
		t.Errorf("%q to %q ends with %v", current, desired, names(s.Current))
	}
}

// after is the situation once a step has been taken.
func after(s Situation, st Step) Situation {
	var next []Member
	for _, m := range s.Current {
		same := m.Name == st.Name && m.MachineID == st.MachineID
		switch {
		case same && st.Action == Remove:
			continue
		case same && st.Action == Update:
			m.Version, m.Configuration = s.Version, s.Configuration
		}
		next = append(next, m)
	}
	if st.Action == Join || st.Action == Init {
		next = append(next, Member{Name: st.Name, MachineID: st.MachineID, Voter: true, Joined: true, Health: Healthy, Version: s.Version, Configuration: s.Configuration})
	}
	s.Current = next
	return s
}
