// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands to go on with are of this stack: copied into a shell, they work.
func TestNext(t *testing.T) {
	root := t.TempDir()
	racks := filepath.Join(root, "hack/rack/racks")
	if err := os.MkdirAll(racks, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(racks, "duo.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for stack, want := range map[string][]string{
		"local":   {`make -s env)"`, "Pulumi.local.yaml", "rack power off w3", "make down "},
		"other":   {`make -s env STACK=other)"`, "Pulumi.other.yaml", "make down STACK=other"},
		"duo-one": {`make -s env STACK=duo-one)"`, "Pulumi.duo-one.yaml", "make down STACK=duo "},
	} {
		w := &workspace{options: options{Stack: stack}, root: root}
		got := w.next(lastHost([]byte("NODE   READY\nw1   True\nw3   True\n")))
		for _, word := range want {
			if !strings.Contains(got, word) {
				t.Errorf("%s: no %q in\n%s", stack, word, got)
			}
		}
	}
}
