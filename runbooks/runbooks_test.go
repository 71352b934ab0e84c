// SPDX-License-Identifier: Apache-2.0

package runbooks

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// reasons of services and of operations; some are both.
func reasons() []string {
	all := append(common.RunbookReasons(), resilience.RunbookReasons()...)
	slices.Sort(all)
	return slices.Compact(all)
}

// sections that each page must have, in this order: a responder who is woken
// up finds the same thing at the same place.
var sections = []string{"## What it means", "## What clients see", "## Look", "## Do", "## It is over when"}

func TestEveryReasonHasAPage(t *testing.T) {
	index, err := FS.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range reasons() {
		page, err := Page(reason)
		if err != nil {
			t.Errorf("reason %s has no page: write runbooks/%s.md", reason, reason)
			continue
		}
		if !strings.HasPrefix(page, "# "+reason+"\n") {
			t.Errorf("%s.md must begin with the title %q", reason, "# "+reason)
		}
		last := -1
		for _, section := range sections {
			at := strings.Index(page, "\n"+section+"\n")
			if at < 0 || at < last {
				t.Errorf("%s.md: section %q is missing or out of order", reason, section)
			}
			last = max(at, last)
		}
		if !strings.Contains(string(index), "["+reason+"]("+reason+".md)") {
			t.Errorf("README.md does not list %s.md", reason)
		}
	}
}

func TestEveryPageHasAReason(t *testing.T) {
	pages, err := fs.Glob(FS, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		name := strings.TrimSuffix(p, ".md")
		if name != "README" && !slices.Contains(reasons(), name) {
			t.Errorf("%s belongs to no reason: remove it", p)
		}
	}
}

func TestUnknownReason(t *testing.T) {
	if _, err := Page("NoSuchReason"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
