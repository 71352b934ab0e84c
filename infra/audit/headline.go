// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Headline says in a few sentences what matters most about an environment.
func (e Environment) Headline() []string {
	var out []string
	if e.Since != "" {
		out = append(out, "Compared with what was applied. Differences came about since "+e.Since+".")
	}
	if e.Updates != nil && len(e.Updates) == 0 {
		out = append(out, "No update is on record.")
	}
	if d := e.Difference; d != nil {
		out = append(out, d.attention())
		if e.Rules != nil {
			out = append(out, e.Rules.sentence(e.Operation))
		}
		out = append(out, d.Cost.sentence())
		if n := d.noise(); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// Count is how many lines of a level there are.
func (d *Difference) Count(level Level) int {
	n := 0
	for _, c := range d.Changes {
		for _, l := range c.Lines {
			if l.Level == level {
				n++
			}
		}
	}
	return n
}

func (d *Difference) attention() string {
	if len(d.Changes) == 0 {
		return fmt.Sprintf("Nothing changes; %s.", staying(d.Unchanged))
	}
	var risks []string
	for _, level := range []Level{High, Medium, Low} {
		if n := d.Count(level); n > 0 {
			risks = append(risks, fmt.Sprintf("%d %s", n, level))
		}
	}
	what := "no risk is known in them"
	if len(risks) > 0 {
		what = "risks: " + strings.Join(risks, ", ")
	}
	return fmt.Sprintf("%s; %s; %s.", plural(len(d.Changes), "change", "changes"), what, staying(d.Unchanged))
}

func staying(n int) string {
	if n == 1 {
		return "1 resource stays as it is"
	}
	return fmt.Sprintf("%d resources stay as they are", n)
}

// sentence says what rules come to. Pulumi itself asks none about anything but an update.
func (r *Rules) sentence(operation string) string {
	mandatory, advisory, waived := 0, 0, 0
	for _, f := range r.Findings {
		switch {
		case f.WaivedBy != nil:
			waived++
		case f.Blocks():
			mandatory++
		default:
			advisory++
		}
	}
	if r.Count == 0 {
		return "Rules: none were asked."
	}
	asked := plural(r.Count, "rule was asked", "rules were asked")
	if r.Blocks {
		what := "an update would be refused"
		if operation != "" {
			what = fmt.Sprintf("do not run this %s, which Pulumi itself would not refuse", operation)
		}
		return fmt.Sprintf("Rules: %s. %s: %s, %d advisory, %d waived.", what, asked,
			plural(mandatory, "mandatory finding", "mandatory findings"), advisory, waived)
	}
	return fmt.Sprintf("Rules: no mandatory finding, %d advisory, %d waived; %s.", advisory, waived, asked)
}

func (c CostSummary) sentence() string {
	if c.UnknownBefore+c.UnknownAfter+c.Usage == 0 && c.BeforeCents == 0 && c.AfterCents == 0 {
		return "Cost: nothing here has a price of its own."
	}
	out := fmt.Sprintf("Cost: %s -> %s a month (%s), list prices of %s", Money(c.BeforeCents, c.Currency), Money(c.AfterCents, c.Currency),
		signed(c.AfterCents-c.BeforeCents, c.Currency), c.Book)
	if n := max(c.UnknownBefore, c.UnknownAfter); n > 0 {
		out += fmt.Sprintf("; without %s of unknown price", plural(n, "resource", "resources"))
	}
	if c.Usage > 0 {
		out += fmt.Sprintf("; without what %s by use", plural(c.Usage, "resource costs", "resources cost"))
	}
	return out + "."
}

func (d *Difference) noise() string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(d.Noise)) {
		parts = append(parts, fmt.Sprintf("%d × %s", d.Noise[why], why))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Left out, because it means nothing: " + strings.Join(parts, ", ") + "."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
