// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestReadme holds the table of README.md to the environments. It says what the table
// should be.
func TestReadme(t *testing.T) {
	all := clouds(t)
	names := sorted(all)
	slices.SortStableFunc(names, func(a, b string) int {
		return slices.Index(classOrder, all[a].Class) - slices.Index(classOrder, all[b].Class)
	})
	var want strings.Builder
	want.WriteString("| environment | class | tier | runs | what it is for |\n|---|---|---|---|---|\n")
	for _, name := range names {
		c := all[name]
		runs := "always"
		if c.Finance.Running == RunningWorkingHours {
			runs = fmt.Sprintf("%s to %s on working days", c.Finance.Wake, c.Finance.Sleep)
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", name, c.Class, c.Tier, runs, c.Purpose)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(text), "<!-- environments: checked by TestReadme -->\n")
	table, _, ended := strings.Cut(rest, "<!-- end -->")
	if !begun || !ended || table != want.String() {
		t.Errorf("the table of README.md should be\n%s", want.String())
	}
}
