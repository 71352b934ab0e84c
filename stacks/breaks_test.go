// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
	awsrules "spine.nhs.uk/controlplane/infra/policy/aws"
	estaterules "spine.nhs.uk/controlplane/infra/policy/estate"
	"spine.nhs.uk/controlplane/infra/policy/pack"
)

// breakEach spoils a good plan in each way. Where that is a break it is named, and elsewhere it is not.
func breakEach(t *testing.T, p *engine.Preview, env *environments.Cloud) {
	t.Helper()
	good := policy.Stack{Environment: policy.Environment{Project: p.Project, Stack: p.Stack}, Resources: p.Resources()}
	before := map[string][]string{}
	for _, b := range breaks {
		bad, there := spoilt(t, good, b.kind, b.suffix, b.change)
		if !there && b.in(env) {
			t.Errorf("%s: there is no %s *%s to spoil", b.what, b.kind, b.suffix)
		}
		for _, name := range b.named {
			if _, ok := before[name]; !ok {
				before[name] = against(t, good, name)
			}
			named := slices.ContainsFunc(against(t, bad, name), func(v string) bool { return !slices.Contains(before[name], v) })
			if named != b.in(env) {
				t.Errorf("%s: %s names it: %t, and where the table says: %t", b.what, name, named, b.in(env))
			}
		}
	}
}

// spoilt is a plan with a change, and whether it has what is changed.
func spoilt(t *testing.T, good policy.Stack, kind, suffix string, change func(*policy.Resource)) (policy.Stack, bool) {
	t.Helper()
	bad := good
	i := slices.IndexFunc(good.Resources, func(r policy.Resource) bool { return r.Type == kind && strings.HasSuffix(r.Name, suffix) })
	if i < 0 {
		return bad, false
	}
	bad.Resources = slices.Clone(good.Resources)
	if change == nil {
		bad.Resources = slices.Delete(bad.Resources, i, i+1)
		return bad, true
	}
	r := bad.Resources[i]
	r.Inputs = cloned(t, r.Inputs)
	change(&r)
	if r.URN != bad.Resources[i].URN {
		bad.Resources = append(bad.Resources, r)
	} else {
		bad.Resources[i] = r
	}
	// What hangs on the provider's settings sees them through each resource.
	if kind == awsProvider {
		share(&bad)
	}
	return bad, true
}

// against is what one rule, or one invariant, has against a plan.
func against(t *testing.T, s policy.Stack, name string) []string {
	t.Helper()
	for _, rule := range pack.Rules() {
		if rule.Name == name {
			return found([]policy.Rule{rule}, s, nil)
		}
	}
	for _, i := range whole {
		if i.name == name {
			return i.check(s)
		}
	}
	t.Fatalf("there is neither a rule nor an invariant %q", name)
	return nil
}

// TestEverythingIsBroken: each rule over AWS and over what an environment is made of, and each invariant, is seen to name a
// break. Rules over hosts and over Kubernetes objects have their cases in infra/policy/pack.
func TestEverythingIsBroken(t *testing.T) {
	var all []string
	for _, rule := range slices.Concat(estaterules.Rules(), awsrules.Rules()) {
		all = append(all, rule.Name)
	}
	for _, i := range whole {
		all = append(all, i.name)
	}
	for _, b := range breaks {
		all = slices.DeleteFunc(all, func(name string) bool { return slices.Contains(b.named, name) })
	}
	if len(all) > 0 {
		t.Errorf("no break is named by %q", all)
	}
}

// share gives every resource the settings that its provider has now.
func share(s *policy.Stack) {
	settings := map[string]map[string]any{}
	for _, r := range of(*s, "pulumi:providers:aws") {
		settings[r.URN] = r.Inputs
	}
	for i := range s.Resources {
		if p := s.Resources[i].Provider; p != nil && settings[p.URN] != nil {
			changed := *p
			changed.Inputs = settings[p.URN]
			s.Resources[i].Provider = &changed
		}
	}
}

// names are those of rules and invariants.
func names(of ...string) []string { return of }

// set is a change of the input at a path.
func set(value any, path ...string) func(*policy.Resource) {
	return func(r *policy.Resource) {
		if at := down(r.Inputs, path); at != nil {
			at[path[len(path)-1]] = value
		}
	}
}

// remove takes the input at a path away.
func remove(path ...string) func(*policy.Resource) {
	return func(r *policy.Resource) { delete(down(r.Inputs, path), path[len(path)-1]) }
}

// as adds a resource of another type, with the same provider.
func as(kind string, inputs map[string]any) func(*policy.Resource) {
	return func(r *policy.Resource) {
		r.URN, r.Type, r.Name, r.Inputs = r.URN+"-added", kind, r.Name+"-added", inputs
	}
}

// byDefault has Pulumi choose the provider.
func byDefault(r *policy.Resource) {
	p := *r.Provider
	p.Name = "default_6_83_2"
	r.Provider = &p
}

// abroad has backups copied to another country.
func abroad(r *policy.Resource) {
	rule := r.Inputs["rules"].([]any)[0].(map[string]any)
	rule["copyActions"].([]any)[0].(map[string]any)["destinationVaultArn"] = "arn:aws:backup:us-east-1:100000000901:backup-vault:ers-live"
}

// allow is a policy document.
func allow(action, on string) string {
	return fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, on)
}

// down is the map that holds the last key of a path; nil when there is none.
func down(at map[string]any, path []string) map[string]any {
	for _, key := range path[:len(path)-1] {
		at, _ = at[key].(map[string]any)
	}
	return at
}

// cloned is a deep copy of a resource's inputs.
func cloned(t *testing.T, inputs map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return policy.FromJSON(out).(map[string]any)
}
