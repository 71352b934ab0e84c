// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"regexp"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// home is the region that data may be in.
const home = "eu-west-2"

// region knows the names of AWS regions, alone, in ARNs and in zones.
var region = regexp.MustCompile(`\b(?:us|eu|ap|ca|sa|me|af|il|mx|us-gov|cn)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d`)

// regions finds places outside the United Kingdom that were not named before.
func regions(s *subject) {
	if !strings.HasPrefix(s.kind, "aws:") && !strings.HasPrefix(s.kind, "pulumi:providers:aws") || s.operation == policy.Delete {
		return
	}
	before := map[string]bool{}
	node(s.old).Each(func(n policy.Node) {
		for _, r := range region.FindAllString(n.Text(), -1) {
			before[r] = true
		}
	})
	s.tell(func(d *difference) bool {
		r := region.FindString(show(d.new))
		return r != "" && r != home && !before[r]
	})
	node(s.new).Each(func(n policy.Node) {
		for _, r := range region.FindAllString(n.Text(), -1) {
			if r == home || before[r] {
				continue
			}
			before[r] = true
			s.say(Residency, High, "%s names %s: data may leave the United Kingdom", n.Path, r)
		}
	})
}

// world finds doors that open to every address.
func world(s *subject) {
	if s.operation == policy.Delete {
		return
	}
	open := func(n policy.Node) []string {
		var out []string
		n.Each(func(n policy.Node) {
			if t := n.Text(); t == "0.0.0.0/0" || t == "::/0" {
				out = append(out, strings.Join(names(n.Path), "."))
			}
		})
		return out
	}
	before := open(node(s.old))
	for _, path := range open(node(s.new)) {
		if slices.Contains(before, path) || outward(s, path) {
			continue
		}
		s.tell(func(d *difference) bool { return len(open(policy.Node{Value: d.new})) > 0 && !d.replaces })
		s.say(Exposure, High, "it is opened to every address (%s)", path)
	}
}

// outward paths say where to, not where from.
func outward(s *subject, path string) bool {
	for _, word := range []string{"egress", "destination", "route", "to.ipBlock"} {
		if strings.Contains(path, word) || strings.Contains(strings.ToLower(s.kind), "egress") || strings.Contains(s.kind, "/route") {
			return true
		}
	}
	return s.is("type").Text() == "egress"
}

// names are the steps of a path without indexes: they stay the same when a list grows.
func names(path policy.Path) []string {
	var out []string
	for _, step := range path {
		if name, ok := step.(string); ok {
			out = append(out, name)
		}
	}
	return out
}

// policies describes who may do what.
func policies(s *subject) {
	if !strings.HasPrefix(s.kind, "aws:iam/") {
		for _, d := range s.take("policy") {
			level := Medium
			if everybody(d.new) && !everybody(d.old) {
				level = High
			}
			s.say(Identity, level, "who may use it changes: %s: %s", d.path, values(d))
		}
		return
	}
	switch s.operation {
	case policy.Delete:
		s.lines = slices.DeleteFunc(s.lines, func(l Line) bool { return l.Class == Availability })
		s.say(Identity, Medium, "deleted: who has it can do less")
		return
	case policy.Create:
		level := Medium
		if everything(node(s.new)) || strings.Contains(s.kind, "accessKey") || strings.Contains(s.kind, "/user:") {
			level = High
		}
		s.say(Identity, level, "created%s", granted(s))
		return
	}
	differences := s.take()
	// What is taken away matters less than what is given.
	slices.SortStableFunc(differences, func(a, b *difference) int { return less(a) - less(b) })
	said := 0
	for _, d := range differences {
		level := Medium
		if everything(policy.Node{Value: d.new}) && !everything(policy.Node{Value: d.old}) || d.path[0] == "assumeRolePolicy" {
			level = High
		} else if said++; said > mostOfPolicy {
			continue
		}
		s.say(Identity, level, "%s: %s", d.path, values(d))
	}
	if said > mostOfPolicy {
		s.say(Identity, Low, "and %d more differences in what it allows", said-mostOfPolicy)
	}
}

// mostOfPolicy is how many ordinary differences in one policy are put into words: more of them bury what else changes.
const mostOfPolicy = 3

// less is 1 for an action or resource that is no longer named.
func less(d *difference) int {
	if name := lastName(policy.Path(d.path)); d.new == nil && (name == "Action" || name == "Resource") {
		return 1
	}
	return 0
}

func granted(s *subject) string {
	if everything(node(s.new)) {
		return ": it grants everything"
	}
	return ""
}

// everything says that a value grants all actions, or the administrator's policy.
func everything(n policy.Node) bool {
	found := false
	n.Each(func(n policy.Node) {
		if d, ok := n.Value.(document); ok && everything(policy.Node{Value: d.value}) {
			found = true
		}
		last := ""
		if len(n.Path) > 0 {
			last = lastName(n.Path)
		}
		t := n.Text()
		found = found || strings.Contains(t, "AdministratorAccess") || last == "Action" && t == "*" || len(n.Path) == 0 && t == "*"
	})
	return found
}

// everybody says that a value names every principal.
func everybody(v any) bool {
	found := false
	policy.Node{Value: v}.Each(func(n policy.Node) {
		found = found || n.Text() == "*"
	})
	return found
}

func lastName(path policy.Path) string {
	for i := len(path) - 1; i >= 0; i-- {
		if name, ok := path[i].(string); ok {
			return name
		}
	}
	return ""
}
