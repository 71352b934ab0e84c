// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNobodyIsToldToSkipPreviews: with --skip-preview an update changes things before rules over the whole stack have
// spoken. No page, target, script or program of this checkout uses it; those that speak of it say why not.
func TestNobodyIsToldToSkipPreviews(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	speak := []string{"infra/policy/README.md", "infra/audit/engine/history.go", "stacks/cmd/stackdiff/backend_test.go", "stacks/cmd/stackdiff/driving_test.go"}
	read := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		read++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, flag := range []string{"skip-preview", "SKIP_PREVIEW"} {
			if strings.Contains(string(text), flag) && !slices.Contains(speak, filepath.ToSlash(name)) {
				t.Errorf("%s uses %s", name, flag)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("read %d files: %v", read, err)
	}
	for _, page := range []string{"README.md", "infra/policy/README.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		if want := "stackdiff preview --destroy -s STACK && pulumi destroy -s STACK"; !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", page, want)
		}
		if !strings.Contains(string(text), "--import FILE") {
			t.Errorf("%s does not say how an import is judged", page)
		}
	}
}
