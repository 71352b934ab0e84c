// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

// row is one environment of the list.
type row struct {
	Stack   string            `json:"stack"`
	Kind    environments.Kind `json:"kind"`
	Class   string            `json:"class"`
	Tier    string            `json:"tier"`
	Running string            `json:"running"`
	Purpose string            `json:"purpose"`
}

func (a *app) rows(files []catalogue.File) ([]row, error) {
	var out []row
	for _, f := range files {
		r := row{Stack: f.Stack, Kind: f.Kind, Class: "-", Tier: "-", Running: "Always"}
		if f.Kind == environments.KindAWS {
			env, err := catalogue.Check(f.Stack, f.Environment, files, a.book)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
			r.Class, r.Tier, r.Running, r.Purpose = string(env.Class), string(env.Tier), hours(env.Finance), env.Purpose
		} else {
			env, err := environments.Parse(f.Environment)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
			r.Class, r.Purpose = string(env.Class), env.Purpose
		}
		out = append(out, r)
	}
	return out, nil
}

func hours(f environments.Finance) string {
	if f.Running == environments.RunningWorkingHours {
		return f.Wake + "-" + f.Sleep
	}
	return string(f.Running)
}

func (a *app) writeList(rows []row) error {
	if a.format == "json" {
		return a.writeJSON(rows)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STACK\tKIND\tCLASS\tTIER\tRUNS\tFOR")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Stack, r.Kind, r.Class, r.Tier, r.Running, r.Purpose)
	}
	return w.Flush()
}

func (a *app) writeEffective(f catalogue.File, values []environments.Value) error {
	if a.format == "json" {
		return a.writeJSON(map[string]any{"stack": f.Stack, "kind": f.Kind, "file": f.Path, "values": values})
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s (%s)\n\n", f.Stack, f.Path)
	for _, v := range values {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Path, oneLine(v.Value), v.Origin)
	}
	return w.Flush()
}

// oneLine is a value as a file would have it.
func oneLine(value any) string {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(value)
	}
	var items []string
	for i := range v.Len() {
		items = append(items, fmt.Sprint(v.Index(i).Interface()))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
