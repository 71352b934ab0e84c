// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// access describes roles, bindings and accounts: not how their rules are written, but what they come to.
func access(s *subject) {
	switch s.operation {
	case policy.Delete:
		s.say(Identity, Low, "deleted: who has it can do less")
		return
	case policy.Create:
		if level := reach(s.new); level != Low {
			s.say(Identity, level, "created: %s", may(s.new))
		} else {
			s.say(Identity, Low, "created")
		}
		return
	}
	for _, d := range append(s.take("roleRef"), s.take("subjects")...) {
		s.say(Identity, Medium, "%s: %s", d.path, values(d))
	}
	if len(s.take("rules")) == 0 {
		return
	}
	if reach(s.new) == High && reach(s.old) != High {
		s.say(Identity, High, "%s", may(s.new))
	}
	was, is := grants(s.old), grants(s.new)
	if more := beyond(is, was); len(more) > 0 {
		s.say(Identity, Medium, "may also %s", listed(more))
	}
	if less := beyond(was, is); len(less) > 0 {
		s.say(Identity, Low, "may no longer %s", listed(less))
	}
}

// grants are the verbs that rules allow, by resource.
func grants(object map[string]any) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, rule := range node(object).At("rules").Items() {
		for _, what := range resources(rule) {
			if out[what] == nil {
				out[what] = map[string]bool{}
			}
			for _, verb := range rule.At("verbs").Items() {
				out[what][verb.Text()] = true
			}
		}
	}
	return out
}

// resources of a rule: "pods", "deployments.apps", "secrets named db", "/metrics".
func resources(rule policy.Node) []string {
	var out []string
	for _, group := range rule.At("apiGroups").Items() {
		for _, resource := range rule.At("resources").Items() {
			what := strings.TrimSuffix(resource.Text()+"."+group.Text(), ".")
			names := rule.At("resourceNames").Items()
			for _, name := range names {
				out = append(out, what+" named "+name.Text())
			}
			if len(names) == 0 {
				out = append(out, what)
			}
		}
	}
	for _, url := range rule.At("nonResourceURLs").Items() {
		out = append(out, url.Text())
	}
	return out
}

// beyond is what one set of grants has and the other lacks: "create, get pods".
func beyond(has, lacks map[string]map[string]bool) []string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(has)) {
		var verbs []string
		for _, verb := range slices.Sorted(maps.Keys(has[what])) {
			if !lacks[what][verb] {
				verbs = append(verbs, verb)
			}
		}
		if len(verbs) > 0 {
			out = append(out, strings.Join(verbs, "/")+" "+what)
		}
	}
	return out
}

// mostGrants is how many a line names.
const mostGrants = 5

func listed(grants []string) string {
	if len(grants) <= mostGrants {
		return strings.Join(grants, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(grants[:mostGrants], ", "), len(grants)-mostGrants)
}

// reach is how far rights go.
func reach(object map[string]any) Level {
	n := node(object)
	if n.At("roleRef", "name").Text() == "cluster-admin" {
		return High
	}
	level := Low
	for _, r := range n.At("rules").Items() {
		if everybody(r.At("verbs").Value) || everybody(r.At("resources").Value) && writes(r) {
			return High
		}
		for _, what := range r.At("resources").Items() {
			if what.Text() == "secrets" || what.Text() == "*" {
				level = Medium
			}
		}
	}
	return level
}

// writes says that a rule allows more than to look.
func writes(rule policy.Node) bool {
	for _, verb := range rule.At("verbs").Items() {
		if v := verb.Text(); v != "get" && v != "list" && v != "watch" {
			return true
		}
	}
	return false
}

func may(object map[string]any) string {
	if node(object).At("roleRef", "name").Text() == "cluster-admin" {
		return "it makes an administrator of the whole cluster"
	}
	if reach(object) == High {
		return "it grants every verb or every resource"
	}
	return "it reaches Secrets"
}
