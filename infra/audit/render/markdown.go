// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/audit"
)

func markdown(w io.Writer, r *audit.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", cell(title(r)))
	for _, e := range r.Environments {
		fmt.Fprintf(&b, "\n## %s\n\n", cell(strings.TrimSuffix(e.Name+", "+e.Time, ", ")))
		if e.Error != "" {
			fmt.Fprintf(&b, "**Error: %s**\n\n", cell(e.Error))
		}
		for _, line := range e.Headline() {
			fmt.Fprintf(&b, "- %s\n", cell(line))
		}
	}
	risky, other := split(sections(r))
	markdownSections(&b, r, "##", risky)
	for _, e := range r.Environments {
		markdownRules(&b, e)
	}
	markdownSections(&b, r, "##", other)
	for _, e := range r.Environments {
		markdownMessages(&b, e, len(r.Environments) > 1)
		for _, u := range e.Updates {
			markdownUpdate(&b, e, u)
		}
		if e.Difference != nil {
			markdownProperties(&b, e.Name, e.Difference)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var cells = strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", "\\*", "_", "\\_", "`", "\\`",
	"[", "\\[", "]", "\\]", "#", "\\#", "\r", " ", "\n", " ")

// cell is text that stands in a table or a line: nothing in it is markup.
func cell(text string) string { return cells.Replace(text) }

func markdownSections(b *strings.Builder, r *audit.Report, heading string, sections []section) {
	several := len(r.Environments) > 1
	for _, s := range sections {
		fmt.Fprintf(b, "\n%s %s\n\n| | what | ", heading, title1(string(s.Class)))
		if several {
			for _, e := range r.Environments {
				b.WriteString(cell(e.Name) + " | ")
			}
		}
		b.WriteString("\n|---|---|")
		if several {
			b.WriteString(strings.Repeat("---|", len(r.Environments)))
		}
		b.WriteString("\n")
		for _, row := range s.Rows {
			fmt.Fprintf(b, "| %s | **%s**: %s", strings.TrimPrefix(string(row.Level), string(audit.None)), cell(row.Who()), cell(row.Words))
			for _, c := range causes(row) {
				b.WriteString("; " + cell(c))
			}
			b.WriteString(" |")
			if several {
				for i := range r.Environments {
					b.WriteString(map[bool]string{true: " x |", false: " |"}[slices.Contains(row.In, i)])
				}
			}
			b.WriteString("\n")
		}
	}
}

func title1(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func markdownRules(b *strings.Builder, e audit.Environment) {
	if e.Rules == nil || len(e.Rules.Findings)+len(e.Rules.Waivers)+len(e.Rules.Others) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Rules in %s\n\n| rule | | what | to do |\n|---|---|---|---|\n", cell(e.Name))
	for _, f := range rulings(e.Rules) {
		what := f.Shown()
		if waived := waiver(f.Finding); waived != "" {
			what = append([]string{waived}, what...)
		}
		for i := range what {
			what[i] = cell(what[i])
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(f.Rule), verdict(f.Finding), strings.Join(what, "<br>"), cell(f.Fix))
	}
	for _, o := range e.Rules.Others {
		fmt.Fprintf(b, "| another pack | %s | %s | |\n", o.Level, cell(of(o)))
	}
	for _, u := range e.Rules.Waivers {
		if u.Covers == 0 {
			fmt.Fprintf(b, "| %s | waiver, %s | for %s, owner %s, until %s: covers nothing | |\n", cell(u.Rule), u.State, cell(u.Resource), cell(u.Owner), cell(u.Until))
		}
	}
}

func markdownMessages(b *strings.Builder, e audit.Environment, several bool) {
	if len(e.Messages) == 0 {
		return
	}
	b.WriteString("\n## Messages")
	if several {
		b.WriteString(" in " + cell(e.Name))
	}
	b.WriteString("\n\n")
	for _, m := range e.Messages {
		fmt.Fprintf(b, "- %s: %s\n", m.Level, cell(of(m)))
	}
}

func markdownUpdate(b *strings.Builder, e audit.Environment, u audit.Update) {
	fmt.Fprintf(b, "\n## %s %d: %s, %s, %s\n\n", title1(u.Kind), u.Number, u.Result, u.Started, duration(u.Seconds))
	fmt.Fprintf(b, "- who: %s\n- commit: %s\n", cell(u.Who), cell(u.Commit))
	if u.Message != "" {
		fmt.Fprintf(b, "- message: %s\n", cell(u.Message))
	}
	if u.Unjudged != "" {
		fmt.Fprintf(b, "- **rules: %s**\n", cell(u.Unjudged))
	}
	if u.Comments != "" {
		fmt.Fprintf(b, "- %s\n", cell(u.Comments))
	}
	if u.Difference == nil {
		return
	}
	for _, line := range (audit.Environment{Difference: u.Difference}).Headline() {
		fmt.Fprintf(b, "- %s\n", cell(line))
	}
	one := &audit.Report{Environments: []audit.Environment{{Name: e.Name, Difference: u.Difference}}}
	markdownSections(b, one, "###", sections(one))
	markdownProperties(b, fmt.Sprintf("%s %d", u.Kind, u.Number), u.Difference)
}

// markdownProperties lists every value that differs, folded away.
func markdownProperties(b *strings.Builder, of string, d *audit.Difference) {
	n := 0
	for _, c := range d.Changes {
		n += len(c.Properties)
	}
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>All %d properties that differ in %s</summary>\n\n| resource | property | before | after |\n|---|---|---|---|\n", n, cell(of))
	for _, c := range d.Changes {
		for _, p := range c.Properties {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(c.Resource), cell(p.Path), cell(p.Old), cell(p.New))
		}
	}
	b.WriteString("\n</details>\n")
}
