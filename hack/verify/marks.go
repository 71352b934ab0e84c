// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// mark is a sign of unfinished work. The patterns are written so that they do not match
// themselves.
type mark struct {
	pattern *regexp.Regexp
	message string
	// goOnly limits the mark to Go files.
	goOnly bool
}

var unfinished = []mark{
	{regexp.MustCompile(`\b(TO[D]O|FIX[M]E|X[X]X)\b`), "unfinished mark: do it, or open an issue and remove it", false},
	{regexp.MustCompile(`(?i)\bnot[ -]implement[e]d\b`), "says that something is missing: finish it or leave it out", false},
	{regexp.MustCompile(`(?i)\bplace[h]older([^=\w-]|$)`), "stands in for something: put the real thing there", false},
	{regexp.MustCompile(`(?i)\blorem ips[u]m\b`), "stands in for something: put the real thing there", false},
	{regexp.MustCompile(`\b[tbf]\.Ski[p](f|Now)?\(`), "skips a test: make it run, or remove it", true},
	{regexp.MustCompile(`(^|\s)(Ski[p]|P(It|Describe|Context|Entry|Specify)|X(It|Describe|Context|Entry|Specify)|F(It|Describe|Context|Entry|Specify))\(`),
		"skips or focuses a test: make all of them run", true},
}

// textTypes are the files in which people write; "" stands for names without extension.
var textTypes = []string{"", ".go", ".md", ".yaml", ".yml", ".sh", ".mod", ".json", ".html", ".css", ".sql", ".tmpl", ".conf", ".service"}

// marks finds unfinished work in every text that people wrote.
func marks(t tree) ([]finding, error) {
	var out []finding
	for _, p := range t.paths {
		if isGenerated(p) || !slices.Contains(textTypes, path.Ext(p)) {
			continue
		}
		text, err := t.read(p)
		if err != nil {
			return nil, err
		}
		n := 0
		for line := range strings.SplitSeq(text, "\n") {
			n++
			for _, m := range unfinished {
				if m.goOnly && path.Ext(p) != ".go" {
					continue
				}
				if found := m.pattern.FindString(line); found != "" {
					out = append(out, finding{p, n, "\"" + strings.TrimSpace(found) + "\" " + m.message})
				}
			}
		}
	}
	return out, nil
}
