// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"strings"
	"unicode/utf8"
)

// workflowFilter is the published filter of an inbox by workflow: X, X*, *X*, each also with a leading "!".
type workflowFilter struct {
	text             string
	not              bool
	prefix, contains bool
}

// parseWorkflowFilter reads the query parameter; empty matches everything.
func parseWorkflowFilter(text string) (workflowFilter, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return workflowFilter{prefix: true}, true
	}
	if n := utf8.RuneCountInString(text); n < 2 || n > 255 || !printable(text) {
		return workflowFilter{}, false
	}
	var f workflowFilter
	text, f.not = strings.CutPrefix(text, "!")
	rest, leading := strings.CutPrefix(text, "*")
	rest, trailing := strings.CutSuffix(rest, "*")
	if rest == "" || strings.Contains(rest, "*") || (leading && !trailing) {
		return workflowFilter{}, false
	}
	f.text, f.contains, f.prefix = rest, leading, trailing && !leading
	return f, true
}

func (f workflowFilter) matches(workflow string) bool {
	var hit bool
	switch {
	case f.contains:
		hit = strings.Contains(workflow, f.text)
	case f.prefix:
		hit = strings.HasPrefix(workflow, f.text)
	default:
		hit = workflow == f.text
	}
	return hit != f.not
}

// forService is the filter in the service's form; empty where it has none, and the front alone filters.
func (f workflowFilter) forService() string {
	if f.contains || f.text == "" {
		return ""
	}
	out := f.text
	if f.prefix {
		out += "*"
	}
	if f.not {
		out = "!" + out
	}
	return out
}
