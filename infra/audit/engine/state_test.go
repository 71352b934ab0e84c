// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/policy"
)

// checkpoint is one with resources a and b of a stack; %s are the ID and inputs of a.
func checkpoint(id, inputs string) string {
	return fmt.Sprintf(`{"version":3,"checkpoint":{"stack":"dev","latest":{"manifest":{"time":"2026-11-21T10:00:00Z"},"resources":[
		{"urn":%q,"type":"acme:queue/lane:Lane","custom":true,"id":%q,"inputs":%s},
		{"urn":%q,"type":"acme:queue/lane:Lane","custom":true,"id":"b","inputs":{},"dependencies":[%q]}]}}}`, urnA, id, inputs, urnB, urnA)
}

func deployment(t *testing.T, text string) *Deployment {
	t.Helper()
	d, err := ReadDeployment("state", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sealed(ciphertext string) string {
	return `{"token":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"` + ciphertext + `"}}`
}

func TestCompare(t *testing.T) {
	one := deployment(t, checkpoint("1", `{"depth":5}`))
	tests := map[string]struct {
		before, after *Deployment
		want          policy.Operation
		resealed      int
	}{
		"nothing":               {one, one, policy.Same, 0},
		"a property":            {one, deployment(t, checkpoint("1", `{"depth":9}`)), policy.Update, 0},
		"another thing":         {one, deployment(t, checkpoint("2", `{"depth":9}`)), policy.Replace, 0},
		"the first":             {nil, one, policy.Create, 0},
		"the last":              {one, nil, policy.Delete, 0},
		"a secret as it was":    {deployment(t, checkpoint("1", sealed("x"))), deployment(t, checkpoint("1", sealed("x"))), policy.Same, 0},
		"a secret written anew": {deployment(t, checkpoint("1", sealed("x"))), deployment(t, checkpoint("1", sealed("y"))), policy.Update, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, s := range Compare(test.before, test.after) {
				if s.URN == urnA && (s.Operation != test.want || len(s.Resealed) != test.resealed) {
					t.Errorf("%s, %v", s.Operation, s.Resealed)
				}
			}
		})
	}
}

func TestAddPlanAndState(t *testing.T) {
	read := func() *Preview {
		p, err := ReadPreview("log", []byte(log(step("same", urnA, `{}`, `{}`, ""), step("same", urnB, `{}`, `{}`, ""))))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	plan := `{"resourcePlans":{"` + urnA + `":{"goal":{}},"` + urnB + `":{"goal":{"dependencies":["` + urnA + `"]}}}}`
	p := read()
	if err := p.AddPlan("plan", []byte(plan)); err != nil || p.Steps[1].Dependencies[0] != urnA {
		t.Errorf("%v, %+v", err, p.Steps)
	}
	p = read()
	if err := p.AddState(deployment(t, checkpoint("1", `{}`))); err != nil || p.Steps[1].Dependencies[0] != urnA {
		t.Errorf("%v, %+v", err, p.Steps)
	}
	for text, want := range map[string]string{
		"":                     "it is no update plan",
		`{}`:                   "it plans nothing",
		plan[:len(plan)-3]:     "cut off",
		`{"resourcePlans":{}}`: "it lacks " + urnA,
		strings.ReplaceAll(plan, ":dev:", ":live:"): "a plan of the stack live",
	} {
		if err := read().AddPlan("plan", []byte(text)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	other := deployment(t, strings.ReplaceAll(checkpoint("1", `{}`), ":dev:", ":live:"))
	if err := read().AddState(other); !errors.Is(err, ErrInput) {
		t.Errorf("another stack's state: %v", err)
	}
}

func TestRefusedState(t *testing.T) {
	whole := checkpoint("1", `{}`)
	for text, want := range map[string]string{
		whole[:len(whole)-9]: "cut off",
		strings.Replace(whole, `"version":3`, `"version":9`, 1): "its version is 9",
		`{"version":3}`:                      "neither checkpoint nor deployment",
		`{"version":3,"deployment":5}`:       "its deployment is not one",
		strings.Replace(whole, urnB, "b", 1): "is not a resource's URN",
		strings.Replace(whole, urnB, strings.Replace(urnB, "dev", "live", 1), 1): "stacks dev and live",
	} {
		if _, err := ReadDeployment("FILE", []byte(text)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %q", text, err, want)
		}
	}
	if d, err := ReadDeployment("FILE", []byte(`{"version":3,"checkpoint":{"stack":"dev"}}`)); err != nil || len(Compare(nil, d)) != 0 {
		t.Errorf("a stack without updates: %v", err)
	}
}

func TestReadUpdate(t *testing.T) {
	u, err := ReadUpdate("record", []byte(`{"kind":"update","startTime":1795250000,"endTime":1795250065,"message":"m","result":"succeeded",
		"environment":{"git.head":"abc","git.dirty":"true","git.author":"A","git.committer":"B"}}`))
	if err != nil || u.Commit != "abc" || !u.Dirty || u.Author != "A" || u.Ended.Sub(u.Started).Seconds() != 65 {
		t.Errorf("%v, %+v", err, u)
	}
	for text, want := range map[string]string{
		`{"kind":"upd`:                         "is damaged",
		`{}`:                                   `its kind is ""`,
		`{"kind":"update","result":"perhaps"}`: `its result is "perhaps"`,
		`{"kind":"update","result":"failed"}`:  "it starts at 0",
		`{"kind":"update","result":"failed","startTime":9,"endTime":5}`: "ends at 5",
	} {
		if _, err := ReadUpdate("FILE", []byte(text)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzReadDeployment(f *testing.F) {
	f.Add([]byte(checkpoint("1", sealed("x"))), []byte(checkpoint("2", `{"a":[{"b":1}]}`)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		before, err := ReadDeployment("a", a)
		if err != nil && !errors.Is(err, ErrInput) {
			t.Errorf("not an error about the input: %v", err)
		}
		after, _ := ReadDeployment("b", b)
		Compare(before, after)
	})
}

func FuzzReadUpdate(f *testing.F) {
	f.Add([]byte(`{"kind":"update","startTime":1,"endTime":2,"result":"failed"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if u, err := ReadUpdate("f", text); err == nil && !u.Ended.IsZero() && u.Ended.Before(u.Started) {
			t.Errorf("%+v", u)
		}
	})
}
