// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"time"
)

// Judge applies all rules to a stack. The time decides which waivers hold.
func Judge(rules []Rule, s Stack, waivers []Waiver, now time.Time) Report {
	var results []Result
	for _, r := range s.Resources {
		results = append(results, CheckResource(rules, r, s.Environment)...)
	}
	results = append(results, CheckStack(rules, s)...)
	return Waive(results, waivers, now)
}

// CheckResource applies the rules over one resource, without waivers. Of a resource
// that goes there is nothing to ask.
func CheckResource(rules []Rule, r Resource, in Environment) []Result {
	if r.Goes() {
		return nil
	}
	var results []Result
	for _, rule := range rules {
		if !rule.Concerns(r.Type) {
			continue
		}
		for _, f := range rule.Check(r, in) {
			f.URN = r.URN
			results = append(results, rule.result(f))
		}
	}
	return results
}

// CheckStack applies the rules over whole stacks, without waivers.
func CheckStack(rules []Rule, s Stack) []Result {
	var results []Result
	for _, rule := range rules {
		if rule.CheckStack == nil {
			continue
		}
		for _, f := range rule.CheckStack(s) {
			results = append(results, rule.result(f))
		}
	}
	return results
}

func (r Rule) result(f Finding) Result {
	return Result{
		Rule: r.Name, Severity: r.Severity, Controls: r.Controls,
		URN: f.URN, Property: f.Property.String(), Message: f.Message, Fix: r.Fix,
	}
}

// Waive marks the results that waivers cover, and sorts them. Of several waivers the
// first counts.
func Waive(results []Result, waivers []Waiver, now time.Time) Report {
	report := Report{Results: results, Waivers: make([]WaiverUse, len(waivers))}
	for i, w := range waivers {
		report.Waivers[i] = WaiverUse{Waiver: w, State: w.State(now)}
	}
	for i := range report.Results {
		for j := range report.Waivers {
			w := &report.Waivers[j]
			if w.State == Active && w.Waiver.Covers(report.Results[i]) {
				report.Results[i].WaivedBy = &w.Waiver
				w.Covers++
				break
			}
		}
	}
	slices.SortStableFunc(report.Results, func(a, b Result) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Property, b.Property), cmp.Compare(a.Message, b.Message))
	})
	return report
}

// rank puts what stops an update first, then what a waiver lets through.
func rank(r Result) int {
	switch {
	case r.Blocks():
		return 0
	case r.Severity == Mandatory:
		return 1
	case r.WaivedBy == nil:
		return 2
	}
	return 3
}
