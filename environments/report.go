// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reportWidth is how many columns a report takes at most, save for single
// words that are longer: 100, less the margin that Pulumi puts before it.
const reportWidth = 94

// Error is everything that is wrong with an environment's configuration.
type Error struct {
	Problems field.ErrorList
}

// Error is a block of text, a line or more per problem.
func (e *Error) Error() string {
	var b strings.Builder
	noun := "problems"
	if len(e.Problems) == 1 {
		noun = "problem"
	}
	fmt.Fprintf(&b, "%d %s in spine:environment; nothing was changed:", len(e.Problems), noun)
	for _, p := range e.Problems {
		b.WriteString("\n" + Wrap("  - "+p.Error()))
	}
	return b.String()
}

// Wrap breaks a line at spaces; what follows is indented further than its
// beginning.
func Wrap(line string) string {
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	var lines []string
	current := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			current += word
		case len(current)+1+len(word) <= reportWidth:
			current += " " + word
		default:
			lines = append(lines, current)
			current = indent + "  " + word
		}
	}
	return strings.Join(append(lines, current), "\n")
}
