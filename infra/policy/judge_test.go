// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// example rules: one asks a colour of paints, one asks that there is a paint.
func example() []Rule {
	return []Rule{
		{
			Name: "blue", Severity: Mandatory, Types: []string{"shop:paint:*"}, Fix: "Paint it blue.",
			Check: Demands(OneOf([]string{"blue"}, "colour"), IsTrue("dry")),
		},
		{
			Name: "some", Severity: Advisory, Fix: "Buy paint.",
			CheckStack: func(s Stack) []Finding {
				if len(s.Resources) == 0 {
					return []Finding{{Message: "there is nothing"}}
				}
				return nil
			},
		},
	}
}

func paint(name, colour string) Resource {
	return Resource{
		URN: "urn:pulumi:test::shop::shop:paint:Pot::" + name, Type: "shop:paint:Pot", Name: name, Operation: Create,
		Inputs: map[string]any{"colour": colour, "dry": Unknown{}},
	}
}

func TestJudge(t *testing.T) {
	gone := paint("gone", "red")
	gone.Operation = Delete
	other := paint("other", "red")
	other.Type = "shop:brush:Brush"
	waivers := []Waiver{
		{Rule: "blue", Resource: "b", From: "2026-11-01", Until: "2026-11-30"},
		{Rule: "blue", Resource: "a", From: "2026-11-01", Until: "2026-11-20"},
		{Rule: "blue", Resource: "z", From: "2026-11-01", Until: "2026-11-30"},
		{Rule: "blue", Resource: "a", From: "2026-12-01", Until: "2026-12-30"},
	}
	report := Judge(example(), Stack{Resources: []Resource{paint("b", "red"), paint("a", "red"), paint("c", "blue"), gone, other}}, waivers, today)
	if len(report.Results) != 2 || !strings.HasSuffix(report.Results[0].URN, "::a") || !strings.HasSuffix(report.Results[1].URN, "::b") {
		t.Fatalf("got %+v", report.Results)
	}
	a, b := report.Results[0], report.Results[1]
	if !a.Blocks() || a.WaivedBy != nil || a.Property != "colour" || a.Message != `is "red", and it must be one of ["blue"]` || a.Fix != "Paint it blue." {
		t.Errorf("a: %+v", a)
	}
	if b.Blocks() || b.WaivedBy == nil || b.WaivedBy.Resource != "b" {
		t.Errorf("b: %+v", b)
	}
	if !report.Blocks() {
		t.Error("the report lets a through")
	}
	want := []struct {
		state  State
		covers int
	}{{Active, 1}, {Expired, 0}, {Active, 0}, {Pending, 0}}
	for i, w := range report.Waivers {
		if w.State != want[i].state || w.Covers != want[i].covers {
			t.Errorf("waiver %d is %s and covers %d, and should be %+v", i, w.State, w.Covers, want[i])
		}
	}
	if empty := Judge(example(), Stack{}, nil, today); len(empty.Results) != 1 || empty.Results[0].URN != "" || empty.Blocks() {
		t.Errorf("got %+v", empty)
	}
}

// TestJudgeOrder: the order of resources changes nothing.
func TestJudgeOrder(t *testing.T) {
	resources := []Resource{paint("b", "red"), paint("a", "red"), paint("c", "green")}
	first := Judge(example(), Stack{Resources: resources}, nil, today)
	slices.Reverse(resources)
	second := Judge(example(), Stack{Resources: resources}, nil, today)
	one, _ := json.Marshal(first)
	two, _ := json.Marshal(second)
	if string(one) != string(two) {
		t.Errorf("%s\n%s", one, two)
	}
}

func TestLive(t *testing.T) {
	for name, want := range map[string]bool{
		"live": true, "ers-live": true, "live-site-2": true, "ers-dr": true, "organization/spine/ers-live": true,
		"local": false, "delivery": false, "ers-liveish": false, "": false,
	} {
		if got := Live(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if got := EnvironmentOf(urn); got != (Environment{Project: "spine", Stack: "local"}) {
		t.Errorf("got %+v", got)
	}
	if got := EnvironmentOf("urn:pulumi:x"); got != (Environment{}) {
		t.Errorf("got %+v", got)
	}
}
