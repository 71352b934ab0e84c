// SPDX-License-Identifier: Apache-2.0

package render

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/audit"
)

//go:embed report.html
var page string

//go:embed report.css
var style string

//go:embed report.js
var script string

var pages = template.Must(template.New("report").Funcs(template.FuncMap{
	"in":       slices.Contains[[]int, int],
	"causes":   causes,
	"verdict":  verdict,
	"waiver":   waiver,
	"rulings":  rulings,
	"of":       of,
	"duration": duration,
	"money":    audit.Money,
	"headline": audit.Environment.Headline,
	"short":    short,
	"slug":     func(c audit.Class) string { return strings.ReplaceAll(string(c), " ", "-") },
	"changes":  changes,
	"title1":   func(s any) string { return title1(fmt.Sprint(s)) },
	"join":     func(names []string) string { return strings.Join(names, ", ") },
}).Parse(page))

// view is what the page shows.
type view struct {
	Title    string
	Report   *audit.Report
	Style    template.CSS
	Script   template.JS
	Levels   []audit.Level
	Classes  []audit.Class
	Sections []section
	Updates  []updateView
}

type updateView struct {
	Environment audit.Environment
	audit.Update
	Headline []string
	Sections []section
}

// sectionsView is what the template for sections needs.
type sectionsView struct {
	Report   *audit.Report
	Sections []section
	Several  bool
}

// html writes one file that needs no other: it can be attached to a change, kept and printed.
func html(w io.Writer, r *audit.Report) error {
	v := view{Title: title(r), Report: r, Style: template.CSS(style), Script: template.JS(script),
		Levels: audit.Levels(), Sections: sections(r)}
	seen := map[audit.Class]bool{}
	for _, e := range r.Environments {
		for _, u := range e.Updates {
			one := updateView{Environment: e, Update: u}
			if u.Difference != nil {
				inner := audit.Environment{Name: e.Name, Difference: u.Difference}
				one.Headline = inner.Headline()
				one.Sections = sections(&audit.Report{Environments: []audit.Environment{inner}})
			}
			for _, s := range one.Sections {
				seen[s.Class] = true
			}
			v.Updates = append(v.Updates, one)
		}
	}
	for _, s := range v.Sections {
		seen[s.Class] = true
	}
	for _, c := range audit.Classes() {
		if seen[c] {
			v.Classes = append(v.Classes, c)
		}
	}
	return pages.Execute(w, v)
}

// Risky are the sections with risks, for the template.
func (v view) Risky() sectionsView {
	risky, _ := split(v.Sections)
	return sectionsView{Report: v.Report, Sections: risky, Several: len(v.Report.Environments) > 1}
}

// Other is the section of what no risk is known of.
func (v view) Other() sectionsView {
	_, other := split(v.Sections)
	return sectionsView{Report: v.Report, Sections: other, Several: len(v.Report.Environments) > 1}
}

// Own is the view of an update's sections, for the template.
func (u updateView) Own() sectionsView {
	return sectionsView{Report: &audit.Report{Environments: []audit.Environment{u.Environment}}, Sections: u.Sections}
}

// changes are where a row comes from, each once.
func changes(row audit.Row) []*audit.Change {
	var out []*audit.Change
	for _, c := range row.Changes {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// short keeps a page readable that holds a long value; JSON has it whole.
func short(text string) string {
	const most = 1000
	if r := []rune(text); len(r) > most {
		return fmt.Sprintf("%s... (%d characters; whole in the JSON)", string(r[:most]), len(r))
	}
	return text
}
