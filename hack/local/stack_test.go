// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A new stack's stray config file goes; one that was there before stays as it was.
func TestPrepareStackLeavesConfigsAlone(t *testing.T) {
	const theirs = "config: {}\n"
	for name, tt := range map[string]struct{ existing, want string }{
		"nothing there": {"", ""},
		"a file there":  {theirs, theirs},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := &workspace{options: options{Stack: "x", ConfigFile: "elsewhere.yaml"},
				root: dir, home: filepath.Join(dir, "home"), cache: filepath.Join(dir, "cache"), own: filepath.Join(dir, "own")}
			file := filepath.Join(dir, "environments/Pulumi.x.yaml")
			for _, d := range []string{filepath.Dir(file), w.own, w.state(), filepath.Join(w.cache, "bin")} {
				if err := os.MkdirAll(d, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			// Of pulumi, what matters here: no stacks yet, and `stack init` writes a file where there is none.
			script := "#!/bin/sh\ncase \"$2\" in ls) echo '[]';; init) test -e " + file + " || echo salt > " + file + ";; esac\n"
			if err := os.WriteFile(filepath.Join(w.own, "pulumi"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			if tt.existing != "" {
				if err := os.WriteFile(file, []byte(tt.existing), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.prepareStack(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("%s holds %q, want %q", file, got, tt.want)
			}
		})
	}
}
