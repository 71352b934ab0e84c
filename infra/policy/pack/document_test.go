// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"fmt"
	"strings"
	"testing"

	"gotest.tools/v3/golden"
)

// TestDocument holds RULES.md to the rules; "-update" writes it.
func TestDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The rules\n\nWritten by `go test ./infra/policy/pack -run Document -update`. What a rule is and how to add one: [README](README.md).\n\n" +
		"| rule | asks | serves | severity |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		var serves []string
		for _, c := range r.Controls {
			serves = append(serves, c.String())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, r.Explanation, strings.Join(serves, ", "), r.Severity)
	}
	golden.Assert(t, b.String(), "../../RULES.md")
}
