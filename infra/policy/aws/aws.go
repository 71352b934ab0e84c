// SPDX-License-Identifier: Apache-2.0

// Package aws is the rules over AWS resources, by type token and property of the
// Pulumi provider's version 6. It needs nothing of that provider.
package aws

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Rules are this package's.
func Rules() []policy.Rule {
	rules := slices.Concat(databaseRules(), storageRules(), networkRules(), clusterRules(), identityRules(), evidenceRules())
	for i := range rules {
		if rules[i].Severity == "" {
			rules[i].Severity = policy.Mandatory
		}
	}
	return rules
}

func controls(f policy.Framework, ids ...string) []policy.Control {
	list := make([]policy.Control, len(ids))
	for i, id := range ids {
		list[i] = policy.Control{Framework: f, ID: id}
	}
	return list
}

func cis(ids ...string) []policy.Control  { return controls(policy.CISAWS, ids...) }
func ncsc(ids ...string) []policy.Control { return controls(policy.NCSC, ids...) }
func caf(ids ...string) []policy.Control  { return controls(policy.CAF, ids...) }

// check is the signature of a rule over one resource.
type check = func(policy.Resource, policy.Environment) []policy.Finding

// byType chooses the demands by the resource's type: the same thing has another name
// in each.
func byType(demands map[string][]policy.Demand) check {
	return func(r policy.Resource, _ policy.Environment) []policy.Finding {
		return policy.Unmet(r.Input(), demands[r.Type]...)
	}
}

// set is the path to the property and what to put there, for rules that put resources
// right.
func set(value any, path ...any) []policy.Edit {
	return []policy.Edit{{Path: path, Value: value}}
}

// companions asks that each resource of a type has one of another type that refers to
// it by a property, and that the companion meets the demands. A reference that is not
// known yet is one to what the companion depends on; where that is not known either,
// it is believed.
func companions(of []string, by, property, lacks string, demands ...policy.Demand) func(policy.Stack) []policy.Finding {
	return func(s policy.Stack) []policy.Finding {
		var found []policy.Finding
		named, hidden := map[string]bool{}, false
		for _, r := range s.Resources {
			if r.Type != by || r.Goes() {
				continue
			}
			at := r.Input(property)
			named[at.Text()] = true
			if at.Hidden() {
				hidden = hidden || len(r.Dependencies) == 0
				for _, urn := range r.Dependencies {
					named[urn] = true
				}
			}
			for _, f := range policy.Unmet(r.Input(), demands...) {
				f.URN = r.URN
				found = append(found, f)
			}
		}
		for _, r := range s.Resources {
			if !slices.Contains(of, r.Type) || r.Goes() || hidden {
				continue
			}
			if !slices.ContainsFunc(identities(r), func(id string) bool { return named[id] }) {
				found = append(found, policy.Finding{URN: r.URN, Message: lacks})
			}
		}
		return found
	}
}

// identities are the texts by which others refer to a resource.
func identities(r policy.Resource) []string {
	ids := []string{r.URN}
	for _, values := range []map[string]any{r.Inputs, r.Outputs} {
		for _, key := range []string{"id", "arn", "bucket", "name"} {
			if id, ok := values[key].(string); ok && id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
