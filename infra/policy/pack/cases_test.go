// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/infra/policy"
)

// ruleCases are the cases of one rule.
type ruleCases struct {
	// Stack is the stack's name, "test" when empty.
	Stack string `json:"stack"`
	// Good are stacks that the rule has nothing against.
	Good [][]planned `json:"good"`
	// Bad are stacks with the findings: "name: property: message".
	Bad []struct {
		Of   []planned `json:"of"`
		Want []string  `json:"want"`
	} `json:"bad"`
}

// planned is a resource as the files write it: objects alone are a set of Kubernetes
// objects.
type planned struct {
	Type         string           `json:"type"`
	Name         string           `json:"name"`
	Inputs       map[string]any   `json:"inputs"`
	Objects      []map[string]any `json:"objects"`
	Operation    policy.Operation `json:"operation"`
	Dependencies []string         `json:"dependencies"`
	Protect      bool             `json:"protect"`
	Provider     *struct {
		Name   string         `json:"name"`
		Inputs map[string]any `json:"inputs"`
	} `json:"provider"`
}

func (p planned) resource(t testing.TB) policy.Resource {
	t.Helper()
	if p.Objects != nil {
		p.Type = "spine:kubernetes:Manifests"
		objects := map[string]any{}
		for _, o := range p.Objects {
			meta, _ := o["metadata"].(map[string]any)
			key := fmt.Sprint(o["kind"], "/")
			if meta["namespace"] != nil {
				key += fmt.Sprint(meta["namespace"], "/")
			}
			objects[key+fmt.Sprint(meta["name"])] = o
		}
		p.Inputs = map[string]any{"objects": objects}
	}
	if p.Name == "" {
		p.Name = "x"
	}
	if p.Operation == "" {
		p.Operation = policy.Create
	}
	r := policy.Resource{
		URN: p.Name, Type: p.Type, Name: p.Name, Operation: p.Operation, Dependencies: p.Dependencies, Protect: p.Protect,
		Inputs: values(t, p.Inputs),
	}
	if p.Provider != nil {
		r.Provider = &policy.Provider{Name: p.Provider.Name, Inputs: values(t, p.Provider.Inputs)}
	}
	return r
}

func values(t testing.TB, in map[string]any) map[string]any {
	t.Helper()
	out, ok := policy.FromJSON(in).(map[string]any)
	if !ok && in != nil {
		t.Fatalf("%v is no mapping", in)
	}
	return out
}

// TestRules holds each rule against its cases: a rule without a passing and a failing
// one is a failure, and so is a case without a rule.
func TestRules(t *testing.T) {
	all := cases(t)
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			c, ok := all[rule.Name]
			if !ok || len(c.Good) == 0 || len(c.Bad) == 0 {
				t.Fatalf("rule %s needs a passing and a failing case in testdata", rule.Name)
			}
			for i, good := range c.Good {
				if got := judge(t, rule, c.Stack, good); len(got) > 0 {
					t.Errorf("good[%d]: rule %s finds\n%s", i, rule.Name, strings.Join(got, "\n"))
				}
			}
			for i, bad := range c.Bad {
				slices.Sort(bad.Want)
				if got := judge(t, rule, c.Stack, bad.Of); !slices.Equal(got, bad.Want) {
					t.Errorf("bad[%d]: rule %s finds\n%s\nand should find\n%s", i, rule.Name, strings.Join(got, "\n"), strings.Join(bad.Want, "\n"))
				}
			}
		})
		delete(all, rule.Name)
	}
	for name := range all {
		t.Errorf("there is no rule %s, and testdata has cases of it", name)
	}
}

func judge(t *testing.T, rule policy.Rule, name string, resources []planned) []string {
	t.Helper()
	if name == "" {
		name = "test"
	}
	s := policy.Stack{Environment: policy.Environment{Project: "spine", Stack: name}}
	for _, p := range resources {
		s.Resources = append(s.Resources, p.resource(t))
	}
	var lines []string
	found := policy.CheckStack([]policy.Rule{rule}, s)
	for _, r := range s.Resources {
		found = append(found, policy.CheckResource([]policy.Rule{rule}, r, s.Environment)...)
	}
	for _, f := range found {
		line := f.Message
		if f.Property != "" {
			line = f.Property + ": " + line
		}
		lines = append(lines, f.URN+": "+line)
	}
	slices.Sort(lines)
	return lines
}

func cases(t testing.TB) map[string]ruleCases {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	all := map[string]ruleCases{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var some map[string]ruleCases
		if err := yaml.UnmarshalStrict(raw, &some); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name, c := range some {
			if _, twice := all[name]; twice {
				t.Errorf("%s: cases of %s are in another file too", file, name)
			}
			all[name] = c
		}
	}
	return all
}

// TestRulesAreWhole holds what every rule says about itself.
func TestRulesAreWhole(t *testing.T) {
	frameworks := []policy.Framework{policy.NCSC, policy.CAF, policy.CISAWS, policy.CISKubernetes, policy.Spine}
	seen, served := map[string]bool{}, map[policy.Framework]bool{}
	for _, r := range Rules() {
		if seen[r.Name] {
			t.Errorf("%s is there twice", r.Name)
		}
		seen[r.Name] = true
		if (r.Check == nil) == (r.CheckStack == nil) {
			t.Errorf("%s: exactly one of Check and CheckStack is set", r.Name)
		}
		if r.Severity != policy.Mandatory && r.Severity != policy.Advisory {
			t.Errorf("%s: severity %q", r.Name, r.Severity)
		}
		if len(r.Controls) == 0 || !strings.HasSuffix(r.Explanation, ".") && !strings.HasSuffix(r.Explanation, ".)") || !strings.HasSuffix(r.Fix, ".") {
			t.Errorf("%s: controls, an explanation or a fix are missing, or no sentence", r.Name)
		}
		for _, c := range r.Controls {
			served[c.Framework] = true
			if !slices.Contains(frameworks, c.Framework) || c.ID == "" {
				t.Errorf("%s: control %q", r.Name, c)
			}
		}
		if r.CheckStack != nil && (len(r.Types) > 0 || r.Remediate != nil) {
			t.Errorf("%s: types and remediation are for rules over one resource", r.Name)
		}
	}
	for _, f := range frameworks {
		if !served[f] {
			t.Errorf("no rule serves %s", f)
		}
	}
}

// TestRemediation: what a rule puts right is right then.
func TestRemediation(t *testing.T) {
	all := cases(t)
	for _, rule := range Rules() {
		if rule.Remediate == nil {
			continue
		}
		for _, bad := range all[rule.Name].Bad {
			for _, p := range bad.Of {
				r := p.resource(t)
				for _, e := range rule.Remediate(r) {
					at := r.Inputs
					for _, key := range e.Path[:len(e.Path)-1] {
						below, ok := at[key.(string)].(map[string]any)
						if !ok {
							below = map[string]any{}
							at[key.(string)] = below
						}
						at = below
					}
					at[e.Path[len(e.Path)-1].(string)] = e.Value
				}
				if found := rule.Check(r, policy.Environment{}); len(found) > 0 {
					t.Errorf("%s: after its remediation: %v", rule.Name, found)
				}
			}
		}
	}
}
