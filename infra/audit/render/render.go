// SPDX-License-Identifier: Apache-2.0

// Package render writes reports: as text, Markdown, HTML and JSON. The same report gives the same bytes.
package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"spine.nhs.uk/controlplane/infra/audit"
)

// Formats are the names that Report takes.
func Formats() []string { return []string{"text", "markdown", "html", "json"} }

// Report writes a report in a format; one that is not of Formats is an error.
func Report(w io.Writer, format string, r *audit.Report) error {
	switch format {
	case "text":
		return text(w, r)
	case "markdown":
		return markdown(w, r)
	case "html":
		return html(w, r)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	return fmt.Errorf("the format is %q: it is one of %s", format, strings.Join(Formats(), ", "))
}

// title is what a report is about.
func title(r *audit.Report) string {
	names := make([]string, len(r.Environments))
	for i, e := range r.Environments {
		names[i] = e.Name
	}
	what := map[audit.Kind]string{audit.Planned: planned(r), audit.Applied: "What updates changed in",
		audit.Drifted: "What differs from what was applied in"}[r.Kind]
	return what + " " + strings.Join(names, ", ")
}

// planned is what a preview is one of.
func planned(r *audit.Report) string {
	for _, e := range r.Environments {
		switch e.Operation {
		case "destroy":
			return "What a destroy would take away in"
		case "refresh":
			return "What a refresh would write into the state of"
		case "import":
			return "What an import would take into"
		}
	}
	return "What an update would change in"
}

// section is one risk class on the first page.
type section struct {
	Class audit.Class
	Rows  []audit.Row
}

// sections are the rows by class, of all environments of a report.
func sections(r *audit.Report) []section {
	var differences []*audit.Difference
	var names []string
	for _, e := range r.Environments {
		differences, names = append(differences, e.Difference), append(names, e.Name)
	}
	return group(audit.Rows(differences, names))
}

// split parts the risks from what no risk is known of.
func split(all []section) (risky, other []section) {
	for _, s := range all {
		if s.Class == audit.Other {
			other = append(other, s)
		} else {
			risky = append(risky, s)
		}
	}
	return risky, other
}

func group(rows []audit.Row) []section {
	var out []section
	for _, row := range rows {
		if len(out) == 0 || out[len(out)-1].Class != row.Class {
			out = append(out, section{Class: row.Class})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, row)
	}
	return out
}

// causes are why things in a row are replaced, and what depends on them, for rows that need a look.
func causes(row audit.Row) []string {
	var out []string
	if row.Level == audit.None || len(row.Changes) != len(row.In) {
		return out
	}
	c := row.Changes[0]
	if len(c.Causes) > 0 {
		out = append(out, "replaced because of "+strings.Join(c.Causes, ", "))
	}
	if n := len(c.Dependents); n > 0 {
		out = append(out, "on it depend: "+some(c.Dependents))
	}
	return out
}

// some names the first of many.
func some(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// in says which environments a row is about, when there are several.
func in(r *audit.Report, row audit.Row) string {
	if len(r.Environments) < 2 {
		return ""
	}
	names := make([]string, len(row.In))
	for i, at := range row.In {
		names[i] = r.Environments[at].Name
	}
	return strings.Join(names, ", ")
}

// ruling is what one rule found, in one environment.
type ruling struct {
	audit.Finding
	Abouts []string
}

// rulings put together what the same rule found of the same weight.
func rulings(r *audit.Rules) []ruling {
	var out []ruling
	at := map[string]int{}
	for _, f := range r.Findings {
		key := f.Rule + "\x00" + verdict(f) + "\x00" + waiver(f)
		i, there := at[key]
		if !there {
			i = len(out)
			at[key] = i
			out = append(out, ruling{Finding: f})
		}
		out[i].Abouts = append(out[i].Abouts, about(f)+": "+f.Message)
	}
	return out
}

// mostAbouts is how many findings of a rule are shown before the others are counted. JSON has them all.
const mostAbouts = 4

// Shown are the first of what the rule found.
func (r ruling) Shown() []string {
	if len(r.Abouts) <= mostAbouts {
		return r.Abouts
	}
	return append(r.Abouts[:mostAbouts-1:mostAbouts-1], fmt.Sprintf("and %d more", len(r.Abouts)-mostAbouts+1))
}

// verdict is a finding's weight in one word.
func verdict(f audit.Finding) string {
	if f.WaivedBy != nil {
		return "waived"
	}
	return string(f.Severity)
}

// waiver says who answers for a waiver, and until when.
func waiver(f audit.Finding) string {
	if f.WaivedBy == nil {
		return ""
	}
	return fmt.Sprintf("waived until %s by %s: %s", f.WaivedBy.Until, f.WaivedBy.Owner, f.WaivedBy.Reason)
}

// about is what a finding is about.
func about(f audit.Finding) string {
	out := f.Resource
	if out == "" {
		out = "the stack"
	}
	if f.Property != "" {
		out += ", " + f.Property
	}
	return out
}

// duration is seconds in words.
func duration(seconds int64) string {
	if seconds < 120 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
}
