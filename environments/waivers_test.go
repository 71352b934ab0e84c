// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func waiver() Waiver {
	return Waiver{
		Rule: "pod-resources", Resource: "local-network", Property: `objects["apps/v1/DaemonSet/kube-system/agent"]`,
		Owner: "a.person@example.nhs.uk", Reason: "the supplier's next release sets limits", From: "2026-11-01", Until: "2027-11-02",
	}
}

func TestWaivers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Waiver)
		want   string // "" for none
	}{
		"good":           {func(*Waiver) {}, ""},
		"a pattern":      {func(w *Waiver) { w.Resource = "local-*" }, ""},
		"one day":        {func(w *Waiver) { w.Until = w.From }, ""},
		"no property":    {func(w *Waiver) { w.Property = "" }, ""},
		"no rule":        {func(w *Waiver) { w.Rule = "" }, "waivers[0].rule"},
		"every rule":     {func(w *Waiver) { w.Rule = "*" }, "waivers[0].rule"},
		"every resource": {func(w *Waiver) { w.Resource = "*" }, "waivers[0].resource"},
		"nearly every":   {func(w *Waiver) { w.Resource = "*a*" }, "waivers[0].resource"},
		"no resource":    {func(w *Waiver) { w.Resource = "" }, "waivers[0].resource"},
		"odd property":   {func(w *Waiver) { w.Property = "objects[*]" }, "waivers[0].property"},
		"no owner":       {func(w *Waiver) { w.Owner = "" }, "waivers[0].owner"},
		"a team":         {func(w *Waiver) { w.Owner = "platform" }, "waivers[0].owner"},
		"a name besides": {func(w *Waiver) { w.Owner = "A <a@b.uk>" }, "waivers[0].owner"},
		"no reason":      {func(w *Waiver) { w.Reason = "because           " }, "waivers[0].reason"},
		"a novel":        {func(w *Waiver) { w.Reason = strings.Repeat("very ", 101) }, "waivers[0].reason"},
		"no from":        {func(w *Waiver) { w.From = "" }, "waivers[0].from"},
		"odd until":      {func(w *Waiver) { w.Until = "2027-02-30" }, "waivers[0].until"},
		"backwards":      {func(w *Waiver) { w.Until = "2026-10-31" }, "waivers[0].until"},
		"for ever":       {func(w *Waiver) { w.Until = "2027-11-03" }, "waivers[0].until"},
	} {
		t.Run(name, func(t *testing.T) {
			w := waiver()
			c.change(&w)
			e := Environment{Waivers: []Waiver{w}}
			errs := validateWaivers(field.NewPath("waivers"), e.Waivers)
			if c.want == "" && len(errs) > 0 || c.want != "" && (len(errs) != 1 || errs[0].Field != c.want) {
				t.Errorf("got %v, want %q", errs, c.want)
			}
		})
	}
}

func TestWaiversTwice(t *testing.T) {
	e := Environment{Waivers: []Waiver{waiver(), waiver()}}
	errs := validateWaivers(field.NewPath("waivers"), e.Waivers)
	if len(errs) != 1 || errs[0].Type != field.ErrorTypeDuplicate {
		t.Errorf("got %v", errs)
	}
	e.Waivers = make([]Waiver, maxWaivers+1)
	for i := range e.Waivers {
		e.Waivers[i] = waiver()
		e.Waivers[i].Resource += strings.Repeat("x", i)
	}
	if errs := validateWaivers(field.NewPath("waivers"), e.Waivers); len(errs) != 1 || errs[0].Type != field.ErrorTypeTooMany {
		t.Errorf("got %v", errs)
	}
}
