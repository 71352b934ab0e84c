// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// statusScreen draws the report, at most 100 columns wide. What names the site is left out
// of the tables when there is only one.
func (a *app) statusScreen(r statusReport) string {
	s := &screen{color: a.color}
	words, tone := heading(r)
	s.line("%s   %s", r.At.Format("2006-01-02 15:04:05 UTC"), s.tone(tone, words))
	s.line("")
	a.sites(s, r)
	a.pairTable(s, r)
	a.hostTable(s, r)
	a.serviceTable(s, r)
	a.operationTable(s, r)
	a.problems(s, r)
	return s.String()
}

func (a *app) sites(s *screen, r statusReport) {
	var rows [][]cell
	for _, site := range r.Sites {
		state, ready := cell{"answers", toneGood}, 0
		for _, h := range site.Hosts {
			if h.Ready {
				ready++
			}
		}
		hosts := fmt.Sprintf("%d of %d ready", ready, len(site.Hosts))
		if !site.Answers {
			state = cell{"DOES NOT ANSWER", toneBad}
		}
		if site.Hosts == nil {
			hosts = "unknown"
		}
		rows = append(rows, []cell{plain(site.Context), plain(site.Server), state, plain(hosts)})
	}
	s.table([]column{{"SITE", 24}, {"API SERVER", 38}, {"STATE", 15}, {"HOSTS", 16}}, rows)
}

// siteCell leads a row when there are several sites.
func siteCell(r statusReport, site siteStatus, cells []cell) []cell {
	if len(r.Sites) > 1 {
		return append([]cell{plain(site.Context)}, cells...)
	}
	return cells
}

func (a *app) hostTable(s *screen, r statusReport) {
	var rows [][]cell
	for _, site := range r.Sites {
		for _, h := range site.Hosts {
			tone := toneGood
			if !h.Ready {
				tone = toneBad
			}
			rows = append(rows, siteCell(r, site, []cell{plain(h.Name), plain(h.Rack), {h.State, tone}, plain(a.age(h.Since))}))
		}
	}
	if len(rows) > 0 {
		s.line("")
		columns := []column{{"HOST", 24}, {"RACK", 16}, {"STATE", 48}, {"SINCE", 6}}
		if len(r.Sites) > 1 {
			columns = []column{{"SITE", 12}, {"HOST", 18}, {"RACK", 10}, {"STATE", 46}, {"SINCE", 6}}
		}
		s.table(columns, rows)
	}
}

func (a *app) serviceTable(s *screen, r statusReport) {
	var rows [][]cell
	for _, site := range r.Sites {
		for _, v := range site.Services {
			tone := toneGood
			if !v.Ready {
				tone = toneBad
			}
			rows = append(rows, siteCell(r, site, []cell{plain(v.name()), {v.State, tone}, plain(orDash(v.Redundancy)), plain(orDash(v.AtRisk)),
				plain(backlogWords(v)), plain(a.age(v.Oldest))}))
		}
	}
	switch {
	case len(rows) > 0:
		s.line("")
		columns := []column{{"SERVICE", 21}, {"STATE", 15}, {"REDUNDANCY", 31}, {"AT RISK", 8}, {"BACKLOG", 9}, {"OLDEST", 6}}
		if len(r.Sites) > 1 {
			columns = []column{{"SERVICE", 21}, {"STATE", 9}, {"REDUNDANCY", 31}, {"AT RISK", 7}, {"BACKLOG", 7}, {"OLDEST", 6}}
			columns = append([]column{{"SITE", 7}}, columns...)
		}
		s.table(columns, rows)
	case r.Well:
		s.line("")
		s.line("There is no service.")
	}
}

// backlogWords counts messages or events, and a booking service's open issues.
func backlogWords(v serviceStatus) string {
	switch {
	case v.Backlog == nil:
		return "unknown"
	case v.OpenIssues != nil && *v.OpenIssues > 0:
		return fmt.Sprintf("%d+%d ASI", *v.Backlog, *v.OpenIssues)
	}
	return strconv.FormatInt(*v.Backlog, 10)
}

func (a *app) operationTable(s *screen, r statusReport) {
	var rows [][]cell
	for _, site := range r.Sites {
		for _, o := range site.Operations {
			phase := o.Phase
			if o.Step != "" {
				phase += " " + o.Step
			}
			rows = append(rows, siteCell(r, site, []cell{plain(o.Name), plain(o.Target), plain(phase), plain(o.RequestedBy), plain(a.age(&o.Created))}))
		}
	}
	if len(rows) > 0 {
		s.line("")
		columns := []column{{"OPERATION", 30}, {"TARGET", 16}, {"PHASE", 29}, {"BY", 11}, {"AGE", 6}}
		if len(r.Sites) > 1 {
			columns = []column{{"SITE", 8}, {"OPERATION", 27}, {"TARGET", 14}, {"PHASE", 27}, {"BY", 8}, {"AGE", 6}}
		}
		s.table(columns, rows)
	}
}

// problems are grouped by reason, each with the command that shows its page.
func (a *app) problems(s *screen, r statusReport) {
	type group struct {
		reason, page string
		lines        []string
	}
	var groups []*group
	byReason := map[string]*group{}
	for _, site := range r.Sites {
		for _, p := range site.Problems {
			g := byReason[p.Reason]
			if g == nil {
				g = &group{reason: p.Reason, page: p.Page}
				groups, byReason[p.Reason] = append(groups, g), g
			}
			text := p.Message
			if !strings.Contains(text, p.Object) {
				text = p.Object + ": " + text
			}
			if len(r.Sites) > 1 && site.Answers {
				text = site.Context + " " + text
			}
			if p.Since != nil && !p.Since.IsZero() {
				text += " (for " + a.age(p.Since) + ")"
			}
			g.lines = append(g.lines, text)
		}
	}
	if len(groups) == 0 {
		return
	}
	s.line("")
	s.title("WHAT IS WRONG")
	for _, g := range groups {
		s.line("%s", s.tone(toneBad, "! "+g.reason))
		for _, text := range g.lines {
			for _, l := range wrap(text, screenWidth-4) {
				s.line("    %s", l)
			}
		}
		if g.page != "" {
			s.line("    what to do: %s", g.page)
		}
	}
}

// age of a moment for people; "-" when there is none.
func (a *app) age(t *metav1.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return short(a.now().Sub(t.Time))
}

func orDash(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return "-"
	}
	return text
}
