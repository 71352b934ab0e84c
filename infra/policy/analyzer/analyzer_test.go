// SPDX-License-Identifier: Apache-2.0

package analyzer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	hidden = "hunter2-hunter2"
	urnOf  = "urn:pulumi:test::shop::shop:paint:Pot::"
)

var rules = []policy.Rule{
	{
		Name: "blue", Severity: policy.Mandatory, Types: []string{"shop:paint:Pot"}, Explanation: "Paint is blue.", Fix: "Paint it.",
		Controls: []policy.Control{{Framework: policy.NCSC, ID: "1"}},
		Check:    policy.Demands(policy.OneOf([]string{"blue"}, "colour")),
	},
	{
		Name: "dry", Severity: policy.Mandatory, Types: []string{"shop:paint:Pot"}, Explanation: "Paint is dry.", Fix: "Wait.",
		Check: policy.Demands(policy.IsTrue("state", "dry")),
		Remediate: func(policy.Resource) []policy.Edit {
			return []policy.Edit{{Path: policy.Path{"state", "dry"}, Value: true}}
		},
	},
	{
		Name: "few", Severity: policy.Mandatory, Explanation: "There are few.", Fix: "Buy less.",
		CheckStack: func(s policy.Stack) []policy.Finding {
			if len(s.Resources) > 1 && s.Resources[0].Inputs["colour"] != nil {
				return []policy.Finding{{URN: s.Resources[0].URN, Message: s.Stack + " has many"}}
			}
			return nil
		},
	},
}

// running is an analyzer as the engine has it, with waivers.
func running(t *testing.T, waivers string) pulumirpc.AnalyzerServer {
	t.Helper()
	server := New(rules, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	_, err := server.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{
		Stack: "test", Project: "shop",
		Config:           map[string]string{"spine:environment": `{"waivers":[` + waivers + `]}`, "shop:key": hidden + "-config"},
		ConfigSecretKeys: []string{"shop:key"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func pot(t testing.TB, name string, properties resource.PropertyMap) *pulumirpc.AnalyzeRequest {
	t.Helper()
	props, err := plugin.MarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.AnalyzeRequest{Urn: urnOf + name, Type: "shop:paint:Pot", Name: name, Properties: props}
}

func coloured(colour string) resource.PropertyMap {
	return resource.PropertyMap{
		"colour": resource.NewStringProperty(colour),
		"state":  resource.NewObjectProperty(resource.PropertyMap{"dry": resource.NewBoolProperty(true)}),
	}
}

const waived = `{"rule":"blue","resource":"a","owner":"a@b.uk","reason":"red sells","from":"2026-11-01","until":"2026-11-30"}`

func TestAnalyze(t *testing.T) {
	for name, c := range map[string]struct {
		waivers, colour string
		level           pulumirpc.EnforcementLevel
		want            []string // parts of the message; none for no finding
	}{
		"right":         {"", "blue", 0, nil},
		"wrong":         {"", "red", pulumirpc.EnforcementLevel_MANDATORY, []string{`colour: is "red"`, "Fix: Paint it.", "Controls: NCSC 1"}},
		"waived":        {waived, "red", pulumirpc.EnforcementLevel_ADVISORY, []string{`is "red"`, "Waived until 2026-11-30 by a@b.uk: red sells"}},
		"waived before": {strings.Replace(waived, "11-30", "11-20", 1), "red", pulumirpc.EnforcementLevel_MANDATORY, []string{"Fix: Paint it."}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := running(t, c.waivers).Analyze(t.Context(), pot(t, "a", coloured(c.colour)))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.GetDiagnostics()) != min(len(c.want), 1) {
				t.Fatalf("got %v", got)
			}
			for _, part := range c.want {
				if d := got.GetDiagnostics()[0]; d.GetEnforcementLevel() != c.level || !strings.Contains(d.GetMessage(), part) || d.GetUrn() != urnOf+"a" {
					t.Errorf("%q is missing, or the level is wrong: %v", part, d)
				}
			}
		})
	}
}

// TestAnalyzeStack: stack-wide rules see what the program asks for, and every waiver is
// accounted for.
func TestAnalyzeStack(t *testing.T) {
	other := func(old, with string) string { return "," + strings.Replace(waived, old, with, 1) }
	server := running(t, waived+other(`"a"`, `"z"`)+other("2026-11-30", "2026-11-20")+other("2026-11-01", "2026-11-30")+other("blue", "none"))
	var request pulumirpc.AnalyzeStackRequest
	for _, name := range []string{"a", "b"} {
		r := pot(t, name, coloured("red"))
		if _, err := server.Analyze(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		// The engine gives outputs here: the inputs are those of the call before.
		request.Resources = append(request.Resources, &pulumirpc.AnalyzerResource{Urn: r.GetUrn(), Type: r.GetType(), Name: name})
	}
	got, err := server.AnalyzeStack(t.Context(), &request)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, d := range got.GetDiagnostics() {
		said = append(said, d.GetPolicyName()+" "+strings.ToLower(d.GetEnforcementLevel().String())+" "+strings.ReplaceAll(d.GetMessage(), "\n", " "))
	}
	want := []string{
		"few mandatory test has many. Fix: Buy less. Controls: ",
		"waivers advisory The waiver of blue for a covers 1, until 2026-11-30; a@b.uk answers for it: red sells",
		"waivers advisory The waiver of blue for z covers nothing: remove it.",
		"waivers advisory The waiver of blue for a ended with 2026-11-20 and covers nothing any more: remove it.",
		"waivers advisory The waiver of blue for a begins on 2026-11-30.",
		"waivers advisory The waiver of none for a covers nothing: there is no such rule.",
	}
	if !slices.Equal(said, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func TestRemediate(t *testing.T) {
	wet := resource.PropertyMap{"secret": resource.MakeSecret(resource.NewStringProperty(hidden))}
	got, err := running(t, "").Remediate(t.Context(), pot(t, "a", wet))
	if err != nil || len(got.GetRemediations()) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	properties, err := plugin.UnmarshalProperties(got.GetRemediations()[0].GetProperties(), plugin.MarshalOptions{KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	if dry, ok := (resource.PropertyPath{"state", "dry"}).Get(resource.NewObjectProperty(properties)); !ok || !dry.BoolValue() {
		t.Errorf("it is not dry: %v", properties)
	}
	if !properties["secret"].IsSecret() || properties["secret"].SecretValue().Element.StringValue() != hidden {
		t.Error("the secret was lost, or is none any more")
	}
	for name, server := range map[string]pulumirpc.AnalyzerServer{
		"right already": running(t, ""),
		"waived":        running(t, strings.Replace(waived, "blue", "dry", 1)),
	} {
		properties := wet
		if name == "right already" {
			properties = coloured("blue")
		}
		if got, err := server.Remediate(t.Context(), pot(t, "a", properties)); err != nil || len(got.GetRemediations()) > 0 {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// TestSecretsAreStruckOut: what is secret in one place is not said of another.
func TestSecretsAreStruckOut(t *testing.T) {
	for name, planted := range map[string]resource.PropertyMap{
		"beside":  {"colour": resource.NewStringProperty("a " + hidden), "key": resource.MakeSecret(resource.NewStringProperty(hidden))},
		"deep":    {"colour": resource.NewStringProperty("a " + hidden), "keys": resource.MakeSecret(resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty(hidden)}))},
		"config":  {"colour": resource.NewStringProperty("a " + hidden + "-config")},
		"longest": {"colour": resource.NewStringProperty(hidden + "-config"), "key": resource.MakeSecret(resource.NewStringProperty(hidden))},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := running(t, "").Analyze(t.Context(), pot(t, "a", planted))
			if err != nil || len(got.GetDiagnostics()) == 0 {
				t.Fatalf("got %v, %v", got, err)
			}
			if text := fmt.Sprint(got); strings.Contains(text, "hunter2") || !strings.Contains(text, "[secret]") || strings.Contains(text, "-config") {
				t.Errorf("the secret, or a part of it, is in %s", text)
			}
		})
	}
}

// TestWrongWaivers: waivers that cannot be read end the preview; they are not left out.
func TestWrongWaivers(t *testing.T) {
	_, err := New(rules, time.Now()).ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{
		Config: map[string]string{"spine:environment": `{"waivers":"` + hidden + `"}`},
	})
	if err == nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("got %v", err)
	}
}

// TestWithoutConfiguration: a state is judged that no stack's configuration comes with.
func TestWithoutConfiguration(t *testing.T) {
	a := New(rules, time.Now())
	got, err := a.Analyze(t.Context(), pot(t, "a", coloured("red")))
	if err != nil || len(got.GetDiagnostics()) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if in := a.of(policy.Resource{URN: urnOf + "a"}); in.Stack != "test" || in.Project != "shop" {
		t.Errorf("it is taken for %+v", in)
	}
}

func TestInfo(t *testing.T) {
	info, err := running(t, "").GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]string{}
	for _, p := range info.GetPolicies() {
		levels[p.GetName()] = p.GetEnforcementLevel().String() + " " + p.GetPolicyType().String()
	}
	for name, want := range map[string]string{
		"blue": "MANDATORY POLICY_TYPE_RESOURCE", "dry": "REMEDIATE POLICY_TYPE_RESOURCE",
		"few": "MANDATORY POLICY_TYPE_STACK", "waivers": "ADVISORY POLICY_TYPE_STACK",
	} {
		if levels[name] != want {
			t.Errorf("%s is %s", name, levels[name])
		}
	}
}

// BenchmarkAnalyze is what the engine asks about one resource: Remediate, then Analyze.
func BenchmarkAnalyze(b *testing.B) {
	server := New(rules, time.Now())
	request := pot(b, "a", coloured("blue"))
	for b.Loop() {
		if _, err := server.Remediate(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		if _, err := server.Analyze(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
