// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	maxLines    = 500
	licenceLine = "// SPDX-License-Identifier: Apache-2.0"
)

// folders and rootFiles are what the top level may hold. The design fixes the folders.
var (
	folders   = []string{".ci", "environments", "hack", "infra", "operators", "runbooks", "stacks"}
	rootFiles = []string{
		".editorconfig", ".gitattributes", ".gitignore", "LICENSE", "Makefile", "NOTICE", "Pulumi.yaml", "go.mod", "go.sum",
	}
)

// topLevel keeps the root of the repository as the design has it.
func topLevel(t tree) ([]finding, error) {
	reported := map[string]bool{}
	var out []finding
	for _, p := range t.paths {
		top, _, inFolder := strings.Cut(p, "/")
		switch {
		case inFolder && slices.Contains(folders, top):
		case !inFolder && (slices.Contains(rootFiles, top) || path.Ext(top) == ".md"):
		case reported[top]:
		default:
			reported[top] = true
			out = append(out, finding{path: top, message: "does not belong at the top level: the folders are " +
				strings.Join(folders, ", ") + "; the files are pages (*.md) and " + strings.Join(rootFiles, ", ")})
		}
	}
	return out, nil
}

// isGenerated says that nobody reads or edits the file by hand.
func isGenerated(p string) bool {
	return strings.HasPrefix(path.Base(p), "zz_generated") || within(p, "infra/provider/sdk")
}

// goFiles keeps Go files short enough to read, generated ones too: people read those when they follow a call. What
// people wrote is licensed.
func goFiles(t tree) ([]finding, error) {
	var out []finding
	for _, p := range t.paths {
		if path.Ext(p) != ".go" {
			continue
		}
		text, err := t.read(p)
		if err != nil {
			return nil, err
		}
		if first, _, _ := strings.Cut(text, "\n"); first != licenceLine && !isGenerated(p) {
			out = append(out, finding{p, 1, fmt.Sprintf("the first line is not %q", licenceLine)})
		}
		if n := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1; n > maxLines {
			out = append(out, finding{p, 0, fmt.Sprintf("has %d lines, more than %d: split it by concern", n, maxLines)})
		}
	}
	return out, nil
}
