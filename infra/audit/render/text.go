// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"io"
	"strings"

	"spine.nhs.uk/controlplane/infra/audit"
)

func text(w io.Writer, r *audit.Report) error {
	var b strings.Builder
	b.WriteString(title(r) + "\n")
	for _, e := range r.Environments {
		fmt.Fprintf(&b, "\n%s", e.Name)
		if e.Time != "" {
			b.WriteString(", " + e.Time)
		}
		b.WriteString("\n")
		if e.Error != "" {
			fmt.Fprintf(&b, "  ERROR: %s\n", e.Error)
		}
		for _, line := range e.Headline() {
			b.WriteString("  " + line + "\n")
		}
	}
	risky, other := split(sections(r))
	textSections(&b, r, risky)
	for _, e := range r.Environments {
		textRules(&b, e, len(r.Environments) > 1)
	}
	textSections(&b, r, other)
	for _, e := range r.Environments {
		textMessages(&b, e, len(r.Environments) > 1)
		for _, u := range e.Updates {
			textUpdate(&b, e, u)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func textSections(b *strings.Builder, r *audit.Report, sections []section) {
	for _, s := range sections {
		fmt.Fprintf(b, "\n%s\n", strings.ToUpper(string(s.Class)))
		before := ""
		for _, row := range s.Rows {
			level := string(row.Level)
			if row.Level == audit.None {
				level = ""
			}
			fmt.Fprintf(b, "  %-6s  %s: %s", level, row.Who(), row.Words)
			if where := in(r, row); where != "" {
				fmt.Fprintf(b, "  [%s]", where)
			}
			b.WriteString("\n")
			all := ""
			for _, c := range causes(row) {
				all += fmt.Sprintf("          %s\n", c)
			}
			if of := row.Who() + "\n" + all; of != before { // Of the same thing it was said above.
				b.WriteString(all)
				before = of
			}
		}
	}
}

func textRules(b *strings.Builder, e audit.Environment, several bool) {
	if e.Rules == nil || len(e.Rules.Findings)+len(e.Rules.Waivers)+len(e.Rules.Others) == 0 {
		return
	}
	b.WriteString("\nRULES")
	if several {
		b.WriteString(" in " + e.Name)
	}
	b.WriteString("\n")
	for _, f := range rulings(e.Rules) {
		fmt.Fprintf(b, "  %-9s  %s: %s\n", verdict(f.Finding), f.Rule, f.Fix)
		if why := waiver(f.Finding); why != "" {
			fmt.Fprintf(b, "             %s\n", why)
		}
		for _, about := range f.Shown() {
			fmt.Fprintf(b, "             %s\n", about)
		}
	}
	for _, o := range e.Rules.Others {
		fmt.Fprintf(b, "  %-9s  %s\n", o.Level, of(o))
	}
	for _, u := range e.Rules.Waivers {
		if u.Covers == 0 {
			fmt.Fprintf(b, "  waiver     of %s for %s, owner %s, until %s: %s, covers nothing\n", u.Rule, u.Resource, u.Owner, u.Until, u.State)
		}
	}
}

func textMessages(b *strings.Builder, e audit.Environment, several bool) {
	if len(e.Messages) == 0 {
		return
	}
	b.WriteString("\nMESSAGES")
	if several {
		b.WriteString(" in " + e.Name)
	}
	b.WriteString("\n")
	for _, m := range e.Messages {
		fmt.Fprintf(b, "  %-7s  %s\n", m.Level, strings.ReplaceAll(of(m), "\n", "\n           "))
	}
}

func of(m audit.Message) string {
	if m.Resource == "" {
		return m.Text
	}
	return m.Resource + ": " + m.Text
}

func textUpdate(b *strings.Builder, e audit.Environment, u audit.Update) {
	fmt.Fprintf(b, "\n%s %d: %s, %s, %s\n", strings.ToUpper(u.Kind), u.Number, u.Result, u.Started, duration(u.Seconds))
	fmt.Fprintf(b, "  who: %s\n  commit: %s\n", u.Who, u.Commit)
	if u.Message != "" {
		fmt.Fprintf(b, "  message: %s\n", strings.ReplaceAll(u.Message, "\n", " "))
	}
	if u.Unjudged != "" {
		fmt.Fprintf(b, "  RULES: %s\n", u.Unjudged)
	}
	if u.Comments != "" {
		fmt.Fprintf(b, "  %s\n", u.Comments)
	}
	if u.Difference == nil {
		return
	}
	for _, line := range (audit.Environment{Difference: u.Difference}).Headline() {
		b.WriteString("  " + line + "\n")
	}
	one := &audit.Report{Environments: []audit.Environment{{Name: e.Name, Difference: u.Difference}}}
	var inner strings.Builder
	textSections(&inner, one, sections(one))
	for line := range strings.Lines(inner.String()) {
		if line != "\n" {
			line = "  " + line
		}
		b.WriteString(line)
	}
	for _, c := range u.Difference.Changes {
		for _, p := range c.Properties {
			fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(property(c, p), "\n", " "))
		}
	}
}

// property is a property with its two values, whole.
func property(c audit.Change, p audit.Property) string {
	switch p.Change {
	case "add":
		return fmt.Sprintf("+ %s: %s = %s", c.Resource, p.Path, p.New)
	case "delete":
		return fmt.Sprintf("- %s: %s = %s", c.Resource, p.Path, p.Old)
	}
	return fmt.Sprintf("~ %s: %s = %s -> %s", c.Resource, p.Path, p.Old, p.New)
}
