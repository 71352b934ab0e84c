// SPDX-License-Identifier: Apache-2.0

// Command split cuts generated Go files that are too long to be read, as go generate calls it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/gen/split"
)

func main() {
	for _, path := range os.Args[1:] {
		if err := cut(path); err != nil {
			fmt.Fprintln(os.Stderr, "split:", err)
			os.Exit(1)
		}
	}
}

// cut a file into parts beside it, and remove what an earlier run left.
func cut(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parts, err := split.Split(filepath.Base(path), content)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(strings.TrimSuffix(path, ".go") + "[0-9]*.go")
	if err != nil {
		return err
	}
	for _, o := range old {
		if err := os.Remove(o); err != nil {
			return err
		}
	}
	for name, text := range parts {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
