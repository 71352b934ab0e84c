// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"fmt"
	"strings"
	"testing"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

func somePlan() *api.Plan {
	return &api.Plan{
		Summary: "restarts", Inputs: []string{"image: a"}, PointOfNoReturn: "one", ExpectedSeconds: 3, Disruptive: true,
		Steps: []api.PlannedStep{{Name: "one", Summary: "does one", Touches: []string{"Pod a/b"}, TimeoutSeconds: 5, ExpectedSeconds: 3}},
	}
}

func digestOf(t *testing.T, change func(*Operation, *api.Plan)) string {
	t.Helper()
	o, p := &Operation{Holder: lease.Holder{Kind: "ServiceRecovery", Namespace: "a"}, Target: map[string]string{"service": "spine"}}, somePlan()
	change(o, p)
	d, err := Digest(o, p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The digest is of what would be done: whatever changes that changes it, and nothing else.
func TestDigest(t *testing.T) {
	same := digestOf(t, func(*Operation, *api.Plan) {})
	if want := "sha256:"; !strings.HasPrefix(same, want) || len(same) != len(want)+64 {
		t.Errorf("got %s", same)
	}
	for name, change := range map[string]func(*Operation, *api.Plan){
		"expectation": func(_ *Operation, p *api.Plan) { p.ExpectedSeconds, p.Steps[0].ExpectedSeconds = 9, 9 },
		"loss":        func(_ *Operation, p *api.Plan) { p.PredictedLoss.Messages = 3 },
		"name":        func(o *Operation, _ *api.Plan) { o.Holder.Name, o.Holder.UID = "other", "1" },
	} {
		if digestOf(t, change) != same {
			t.Errorf("another %s makes another digest", name)
		}
	}
	seen := map[string]string{same: "nothing"}
	for name, change := range map[string]func(*Operation, *api.Plan){
		"kind":        func(o *Operation, _ *api.Plan) { o.Holder.Kind = "Failover" },
		"namespace":   func(o *Operation, _ *api.Plan) { o.Holder.Namespace = "b" },
		"target":      func(o *Operation, _ *api.Plan) { o.Target = map[string]string{"service": "ers"} },
		"summary":     func(_ *Operation, p *api.Plan) { p.Summary = "rebuilds" },
		"inputs":      func(_ *Operation, p *api.Plan) { p.Inputs[0] = "image: b" },
		"no return":   func(_ *Operation, p *api.Plan) { p.PointOfNoReturn = "" },
		"disruption":  func(_ *Operation, p *api.Plan) { p.Disruptive = false },
		"approval":    func(_ *Operation, p *api.Plan) { p.NeedsApproval = true },
		"a step":      func(_ *Operation, p *api.Plan) { p.Steps = append(p.Steps, api.PlannedStep{Name: "two"}) },
		"step name":   func(_ *Operation, p *api.Plan) { p.Steps[0].Name = "eins" },
		"step words":  func(_ *Operation, p *api.Plan) { p.Steps[0].Summary = "does more" },
		"touches":     func(_ *Operation, p *api.Plan) { p.Steps[0].Touches[0] = "Pod a/c" },
		"destruction": func(_ *Operation, p *api.Plan) { p.Steps[0].Destructive = true },
		"repeatable":  func(_ *Operation, p *api.Plan) { p.Steps[0].Repeatable = true },
		"interrupted": func(_ *Operation, p *api.Plan) { p.Steps[0].Interruptible = true },
		"timeout":     func(_ *Operation, p *api.Plan) { p.Steps[0].TimeoutSeconds = 6 },
	} {
		d := digestOf(t, change)
		if other, ok := seen[d]; ok {
			t.Errorf("a change of %s makes the digest of a change of %s", name, other)
		}
		seen[d] = name
	}
}

func TestSound(t *testing.T) {
	for want, change := range map[string]func(*api.Plan, *[]string){
		"":                func(*api.Plan, *[]string) {},
		"two steps":       func(p *api.Plan, _ *[]string) { p.Steps = append(p.Steps, p.Steps[0]) },
		`a step named ""`: func(p *api.Plan, _ *[]string) { p.Steps[0].Name = "" },
		"no timeout":      func(p *api.Plan, _ *[]string) { p.Steps[0].TimeoutSeconds = 0 },
		"touches 33":      func(p *api.Plan, _ *[]string) { p.Steps[0].Touches = make([]string, 33) },
		"0 steps":         func(p *api.Plan, _ *[]string) { p.Steps, p.PointOfNoReturn = nil, "" },
		"65 steps": func(p *api.Plan, _ *[]string) {
			for i := range 64 {
				p.Steps = append(p.Steps, api.PlannedStep{Name: fmt.Sprint(i), TimeoutSeconds: 1})
			}
		},
		"65 inputs":     func(p *api.Plan, _ *[]string) { p.Inputs = make([]string, 65) },
		"none of its":   func(p *api.Plan, _ *[]string) { p.PointOfNoReturn = "two" },
		"0 resources":   func(_ *api.Plan, r *[]string) { *r = nil },
		"on 16 resourc": func(_ *api.Plan, r *[]string) { *r = make([]string, 16) },
	} {
		p, r := somePlan(), []string{"service-spine"}
		change(p, &r)
		if err := sound(p, r); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// Every disruptive operation takes its turn in the site; leases are taken in one order.
func TestResources(t *testing.T) {
	got := resources(Planned{Resources: []string{"service-spine", "site", "host-b"}, Disruptive: true})
	if want := "[host-b service-spine site]"; fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("text", 3)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 1 || most > 2000 {
			return
		}
		if got := []rune(clip(text, most)); len(got) > most {
			t.Errorf("%d characters of at most %d", len(got), most)
		}
	})
}
