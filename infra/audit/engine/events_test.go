// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	urnA = "urn:pulumi:dev::spine::acme:queue/lane:Lane::a"
	urnB = "urn:pulumi:dev::spine::acme:queue/lane:Lane::b"
)

// log is an event log of the given events, numbered, with what opens and closes one.
func log(events ...string) string {
	all := append([]string{`"timestamp":1795250000,"preludeEvent":{"config":{"spine:kind":"x"}}`}, events...)
	all = append(all, `"summaryEvent":{"isPreview":true}`, `"cancelEvent":{}`)
	var b strings.Builder
	for i, e := range all {
		fmt.Fprintf(&b, "{\"sequence\":%d,%s}\n", i, e)
	}
	return b.String()
}

// step is the event of one operation; old and new are inputs as JSON, or "null".
func step(op, urn, old, is, more string) string {
	state := func(inputs string) string {
		if inputs == "null" {
			return "null"
		}
		return fmt.Sprintf(`{"urn":%q,"type":"acme:queue/lane:Lane","custom":true,"inputs":%s,"outputs":{}}`, urn, inputs)
	}
	return fmt.Sprintf(`"resourcePreEvent":{"metadata":{"op":%q,"urn":%q,"type":"acme:queue/lane:Lane","old":%s,"new":%s,"detailedDiff":null%s}}`,
		op, urn, state(old), state(is), more)
}

func TestReadEvents(t *testing.T) {
	p, err := ReadPreview("log", []byte(log(
		step("update", urnA, `{"depth":5,"token":"[secret]"}`, `{"depth":9,"token":"04da6b54-80e4-46f7-96ec-b56ff0331ba9"}`, ""),
		step("create", urnB, "null", `{}`, ""),
		`"diagnosticEvent":{"message":"look\n","severity":"info#err"}`,
	)))
	if err != nil {
		t.Fatal(err)
	}
	if p.Stack != "dev" || p.Project != "spine" || p.Failed || p.Config["spine:kind"] != "x" || p.Time.IsZero() {
		t.Errorf("%+v", p)
	}
	a := p.Steps[0]
	if a.Operation != policy.Update || a.OldInputs["depth"] != 5.0 || a.OldInputs["token"] != (policy.Secret{}) || a.Inputs["token"] != (policy.Unknown{}) {
		t.Errorf("%+v", a)
	}
	if b := p.Steps[1]; b.Operation != policy.Create || b.OldInputs != nil || b.Name != "b" {
		t.Errorf("%+v", b)
	}
	if len(p.Diagnostics) != 1 || p.Diagnostics[0].Severity != "info" || p.Diagnostics[0].Message != "look" {
		t.Errorf("%+v", p.Diagnostics)
	}
}

// The parts of a replacement are one step, whichever comes first.
func TestReplacementIsOneStep(t *testing.T) {
	old, is, keys := `{"zone":"a"}`, `{"zone":"b"}`, `,"keys":["zone"]`
	parts := map[string][]string{
		"create first": {step("create-replacement", urnA, old, is, keys), step("replace", urnA, old, is, keys), step("delete-replaced", urnA, old, "null", "")},
		"delete first": {step("delete-replaced", urnA, old, "null", ""), step("replace", urnA, old, is, keys), step("create-replacement", urnA, old, is, keys)},
	}
	for name, events := range parts {
		p, err := ReadPreview("log", []byte(log(events...)))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Steps) != 1 {
			t.Fatalf("%s: %d steps", name, len(p.Steps))
		}
		s := p.Steps[0]
		if s.Operation != policy.Replace || s.DeleteFirst != (name == "delete first") || s.OldInputs["zone"] != "a" || s.Inputs["zone"] != "b" || s.Keys[0] != "zone" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestFailedPreview(t *testing.T) {
	for name, text := range map[string]string{
		"an error":   log(`"diagnosticEvent":{"message":"no","severity":"error"}`),
		"a fault":    log(`"errorEvent":{"error":"no"}`),
		"no reason":  log(`"diagnosticEvent":{"message":"preview failed","severity":"error"}`),
		"no summary": strings.Replace(log(), `"summaryEvent":{"isPreview":true}`, `"stdoutEvent":{"message":""}`, 1),
	} {
		if p, err := ReadPreview("log", []byte(text)); err != nil || !p.Failed {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
	refused := log(`"policyEvent":{"policyName":"r","enforcementLevel":"mandatory"}`, `"diagnosticEvent":{"message":"preview failed","severity":"error"}`)
	if p, err := ReadPreview("log", []byte(refused)); err != nil || p.Failed {
		t.Errorf("what rules refuse was seen to the end: %v, %+v", err, p)
	}
	if p, err := ReadPreview("log", []byte(log(`"futureEvent":{}`))); err != nil || p.Unread != 1 {
		t.Errorf("an event of a new kind: %v, %+v", err, p)
	}
}

func TestReadDigest(t *testing.T) {
	p, err := ReadPreview("digest", []byte(`{"config":{"a":"[secret]"},"steps":[{"op":"update","urn":"`+urnA+`",
		"oldState":{"type":"t","custom":true,"inputs":{"n":1},"dependencies":["`+urnB+`"]},"newState":{"type":"t","custom":true,"inputs":{"n":2},"dependencies":["`+urnB+`"]},
		"detailedDiff":{"n":{"kind":"update-replace","inputDiff":true}}}],"diagnostics":[{"message":"m","severity":"warning"}],"changeSummary":{"update":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	s := p.Steps[0]
	if s.Diff["n"] != (Kind{Change: "update", Replaces: true, Input: true}) || s.Dependencies[0] != urnB || s.Inputs["n"] != 2.0 || len(p.Diagnostics) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestRefusedInput(t *testing.T) {
	whole := log(step("create", urnA, "null", `{}`, ""), step("create", urnB, "null", `{}`, ""))
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	tests := map[string]struct{ text, want string }{
		"empty":                   {"", "it is empty"},
		"no JSON":                 {"Previewing update", "it is not JSON"},
		"other JSON":              {`{"a": 1}`, "neither an event log nor"},
		"an update plan":          {`{"resourcePlans": {}}`, "give it as --plan"},
		"cut off in its first":    {whole[:20], "ends in the middle"},
		"cut off in a later one":  {whole[:len(whole)-30], "is cut off or no event"},
		"cut off between two":     {strings.Join(lines[:3], ""), "closing event is missing"},
		"one line missing":        {strings.Join(append(lines[:2:2], lines[3:]...), ""), "event 2 is missing"},
		"two runs in one":         {whole + whole, "event 5 is missing"},
		"of two stacks":           {log(step("create", urnA, "null", `{}`, ""), step("create", strings.Replace(urnB, "dev", "live", 1), "null", `{}`, "")), "stacks dev and live"},
		"an operation unknown":    {log(step("teleport", urnA, "null", `{}`, "")), `operation "teleport" on a is unknown`},
		"no URN":                  {log(step("create", "a", "null", `{}`, "")), "is not a resource's URN"},
		"a digest of wrong types": {`{"steps": 5}`, "not the output of `pulumi preview --json`"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPreview("FILE", []byte(test.text))
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "FILE ") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzReadPreview(f *testing.F) {
	f.Add([]byte(log(step("update", urnA, `{"a":1}`, `{"a":[2]}`, `,"keys":["a"]`))), []byte(`{"resourcePlans":{"`+urnA+`":{"goal":{"dependencies":["x"]}}}}`))
	f.Add([]byte(`{"steps":[{"op":"delete","urn":"`+urnA+`","oldState":{"delete":true}}]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, text, plan []byte) {
		p, err := ReadPreview("f", text)
		if err != nil {
			if !errors.Is(err, ErrInput) {
				t.Errorf("not an error about the input: %v", err)
			}
			return
		}
		if err := p.AddPlan("p", plan); err != nil && !errors.Is(err, ErrInput) {
			t.Errorf("not an error about the plan: %v", err)
		}
	})
}
