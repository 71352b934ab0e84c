// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// planted is a secret of the stack, which its state or its configuration marks as one.
const planted = "Tr0ub4dor-PLANTED-and-3"

// quoting is a rule that repeats what it found.
var quoting = policy.Rule{
	Name: "quoting", Severity: policy.Mandatory, Explanation: "x", Fix: "x",
	Check: policy.Demands(policy.OneOf([]string{"fine"}, "quoted")),
}

// step is a resource that changes; more is in its new inputs.
func step(more map[string]any) engine.Step {
	s := engine.Step{Custom: true}
	s.URN, s.Type, s.Name, s.Operation = "urn:pulumi:test::spine::acme:a/lane:Lane::lane", "acme:a/lane:Lane", "lane", policy.Update
	s.OldInputs, s.Inputs = map[string]any{"quoted": "fine"}, map[string]any{"quoted": "fine"}
	maps.Copy(s.Inputs, more)
	return s
}

// TestSecretsAreShownNowhere plants a secret, unmarked and under harmless names, in each place that a report is made of.
func TestSecretsAreShownNowhere(t *testing.T) {
	preview := func(edit func(*engine.Preview, *engine.Step)) audit.Environment {
		p := &engine.Preview{Project: "spine", Stack: "test", Config: map[string]string{}}
		s := step(nil)
		edit(p, &s)
		p.Steps = append(p.Steps, s)
		return audit.FromPreview(p, known())
	}
	inputs := func(value any) audit.Environment {
		return preview(func(_ *engine.Preview, s *engine.Step) { s.Inputs["field"] = value })
	}
	update := func(u engine.Update) audit.Environment {
		return audit.FromHistory("test", "spine", []engine.Update{u}, known())
	}
	places := map[string]audit.Environment{
		"an input":                 inputs("at " + planted),
		"a map in a list in a map": inputs(map[string]any{"a": []any{map[string]any{"b": "at " + planted}}}),
		"JSON in a text":           inputs(`{"a": ["` + planted + `"]}`),
		"base64":                   inputs(base64.StdEncoding.EncodeToString([]byte(planted))),
		"a key of a map":           inputs(map[string]any{"x " + planted: true}),
		"an input as it was":       preview(func(_ *engine.Preview, s *engine.Step) { s.OldInputs["field"] = planted }),
		"an output": preview(func(_ *engine.Preview, s *engine.Step) {
			s.OldOutputs, s.Outputs = map[string]any{"x": "a"}, map[string]any{"x": planted}
		}),
		"what makes it be replaced": preview(func(_ *engine.Preview, s *engine.Step) {
			s.Operation, s.Keys, s.Inputs["quoted"] = policy.Replace, []string{"quoted"}, planted
		}),
		"what is made": preview(func(_ *engine.Preview, s *engine.Step) {
			s.Operation, s.OldInputs, s.Inputs["field"] = policy.Create, nil, planted
		}),
		"what goes": preview(func(_ *engine.Preview, s *engine.Step) {
			s.Operation, s.OldInputs["field"], s.Inputs = policy.Delete, planted, nil
		}),
		"the configuration": preview(func(p *engine.Preview, _ *engine.Step) {
			p.Config["spine:environment"] = `{"waivers":"` + planted + `"}`
		}),
		"a rule's finding": preview(func(_ *engine.Preview, s *engine.Step) { s.Inputs["quoted"] = planted }),
		"another pack's finding": preview(func(p *engine.Preview, _ *engine.Step) {
			p.Violations = []engine.Violation{{Pack: "x", Rule: "y", Message: "found " + planted}}
		}),
		"a diagnostic": preview(func(p *engine.Preview, _ *engine.Step) {
			p.Diagnostics = []engine.Diagnostic{{Severity: "info", Message: "log in by " + planted}}
		}),
		"an error": preview(func(p *engine.Preview, _ *engine.Step) {
			p.Failed, p.Diagnostics = true, []engine.Diagnostic{{Severity: "error", Message: planted}}
		}),
		"what a thing is called": preview(func(_ *engine.Preview, s *engine.Step) {
			s.Name += planted
			s.URN += planted
			s.Inputs["quoted"] = "wrong"
		}),
		"an update's message":         update(engine.Update{Kind: "update", Result: "succeeded", Started: time.Unix(1, 0), Message: "Change " + planted}),
		"the names of who changed it": update(engine.Update{Kind: "update", Result: "succeeded", Started: time.Unix(1, 0), Author: planted, Commit: planted}),
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		for _, format := range Formats() {
			var b strings.Builder
			report := &audit.Report{Version: audit.Version, Kind: audit.Planned, Environments: []audit.Environment{places[place]}}
			if err := Report(&b, format, report); err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{"PLANTED", base64.StdEncoding.EncodeToString([]byte(planted))[:20]} {
				if i := strings.Index(b.String(), form); i >= 0 {
					t.Errorf("%s, %s: shown in ...%s...", place, format, b.String()[max(0, i-60):min(b.Len(), i+40)])
				}
			}
		}
	}
}

// known is a context to which the stack's secrets are known.
func known() audit.Context {
	return audit.Context{Book: cost.Published(), Rules: []policy.Rule{quoting}, Secrets: audit.NewSecrets([]string{planted})}
}
