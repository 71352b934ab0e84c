// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with the file. It never quotes a secret.
type Problem struct {
	// Line counts from 1.
	Line int
	// Path leads to the field, as in "mailboxes[3].organisation"; empty for the file as a whole.
	Path string
	// Message says what was expected and what to do.
	Message string
}

// String is one line of text.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Message)
	}
	return fmt.Sprintf("line %d: %s %s", p.Line, p.Path, p.Message)
}

// Error lists everything that is wrong with the file, in the order of its lines.
type Error struct{ Problems []Problem }

// Error is one line a problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return "the mailbox file is not usable:\n  " + strings.Join(lines, "\n  ")
}

func (p *parser) sorted() []Problem {
	slices.SortStableFunc(p.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	return p.problems
}
