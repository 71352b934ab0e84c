// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// texts are the words of a list.
func texts(n policy.Node) []string {
	var list []string
	for _, item := range n.Items() {
		list = append(list, item.Text())
	}
	return list
}

// onlyReads says whether none of the verbs changes anything.
func onlyReads(verbs []string) bool {
	for _, v := range verbs {
		if v != "get" && v != "list" && v != "watch" {
			return false
		}
	}
	return true
}

// wildcards: "*" may stand for all kinds of named groups, to be read; it would else
// grant what does not exist yet.
func wildcards(o object) []policy.Finding {
	var found []policy.Finding
	for _, rule := range o.At("rules").Items() {
		groups, kinds, verbs := texts(rule.At("apiGroups")), texts(rule.At("resources")), texts(rule.At("verbs"))
		switch {
		case slices.Contains(verbs, "*"):
			found = append(found, rule.At("verbs").Found("every verb is allowed"))
		case slices.Contains(groups, "*"):
			found = append(found, rule.At("apiGroups").Found("every group is allowed"))
		case slices.Contains(kinds, "*") && !onlyReads(verbs):
			found = append(found, rule.At("resources").Found("every kind may be changed"))
		case slices.Contains(kinds, "*") && slices.Contains(groups, ""):
			found = append(found, rule.At("resources").Found("every kind of the core may be read, and so every Secret"))
		}
	}
	return found
}

// escalation is rights that give all others.
func escalation(o object) []policy.Finding {
	var found []policy.Finding
	for _, rule := range o.At("rules").Items() {
		for _, verb := range rule.At("verbs").Items() {
			if slices.Contains([]string{"escalate", "bind", "impersonate"}, verb.Text()) {
				found = append(found, verb.Found("%s gives every right that there is", verb.Text()))
			}
		}
	}
	if strings.HasSuffix(o.kind, "Binding") {
		if role := o.At("roleRef", "name"); role.Text() == "cluster-admin" {
			found = append(found, role.Found("cluster-admin gives every right that there is"))
		}
		for _, subject := range o.At("subjects").Items() {
			if name := subject.At("name"); slices.Contains([]string{"system:anonymous", "system:unauthenticated", "system:authenticated"}, name.Text()) {
				found = append(found, name.Found("%s is anybody", name.Text()))
			}
		}
	}
	return found
}

// secretsEverywhere finds cluster-wide roles that read Secrets.
func secretsEverywhere(o object) []policy.Finding {
	if _, known := secretReaders[o.name]; known {
		return nil
	}
	var found []policy.Finding
	for _, rule := range o.At("rules").Items() {
		if len(rule.At("resourceNames").Items()) > 0 || !slices.Contains(texts(rule.At("apiGroups")), "") {
			continue
		}
		for _, kind := range rule.At("resources").Items() {
			if kind.Text() == "secrets" {
				found = append(found, kind.Found("the Secrets of all namespaces are opened"))
			}
		}
	}
	return found
}
