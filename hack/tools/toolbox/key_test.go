// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"os"
	"path/filepath"
	"testing"
)

// module makes a repository with one tool's module in it.
func module(t *testing.T) (root string, tool Tool) {
	t.Helper()
	root = t.TempDir()
	for name, content := range map[string]string{
		"m/go.mod":              "module m\n",
		"m/go.sum":              "a v1.0.0 h1:x\n",
		"m/cmd/x/main.go":       "package main\n",
		"m/cmd/x/main_test.go":  "package main\n",
		"m/cmd/other/main.go":   "package main\n",
		"m/_overlay/a/b/c.go":   "package b\n",
		"m/previous.mod":        "module m // old\n",
		"m/previous.sum":        "",
		"outside/of/the/tool.x": "",
	} {
		write(t, filepath.Join(root, name), content)
	}
	return root, Tool{Name: "x", Module: "m", Package: "./cmd/x", Binary: "x", Links: []string{"y"}, Stamp: []string{"a.b=c"}}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestKeyChangesWithWhatDecidesTheBytes(t *testing.T) {
	changed := map[string]func(root string, tool *Tool, version, target *string){
		"pins": func(root string, _ *Tool, _, _ *string) {
			write(t, filepath.Join(root, "m/go.mod"), "module m // new\n")
		},
		"sums": func(root string, _ *Tool, _, _ *string) { write(t, filepath.Join(root, "m/go.sum"), "") },
		"source": func(root string, _ *Tool, _, _ *string) {
			write(t, filepath.Join(root, "m/cmd/x/main.go"), "package main // new\n")
		},
		"new source": func(root string, _ *Tool, _, _ *string) {
			write(t, filepath.Join(root, "m/cmd/x/more.go"), "package main\n")
		},
		"overlay": func(root string, _ *Tool, _, _ *string) {
			write(t, filepath.Join(root, "m/_overlay/a/b/c.go"), "package b // new\n")
		},
		"pins' file":  func(_ string, tool *Tool, _, _ *string) { tool.ModFile = "previous.mod" },
		"stamp":       func(_ string, tool *Tool, _, _ *string) { tool.Stamp = []string{"a.b=d"} },
		"links":       func(_ string, tool *Tool, _, _ *string) { tool.Links = nil },
		"flags":       func(_ string, tool *Tool, _, _ *string) { tool.Shared = true },
		"Go":          func(_ string, _ *Tool, version, _ *string) { *version = "go1.99.0" },
		"the machine": func(_ string, _ *Tool, _, target *string) { *target = "linux/arm64" },
	}
	for name, change := range changed {
		t.Run(name, func(t *testing.T) {
			root, tool := module(t)
			version, target := "go1.26.0", "linux/amd64"
			before := key(t, root, tool, version, target)
			change(root, &tool, &version, &target)
			if after := key(t, root, tool, version, target); after == before {
				t.Errorf("the key is still %s after another %s", after, name)
			}
		})
	}
}

func TestKeyIgnoresWhatIsNotBuilt(t *testing.T) {
	root, tool := module(t)
	before := key(t, root, tool, "go1.26.0", "linux/amd64")
	for _, file := range []string{"m/cmd/x/main_test.go", "m/cmd/other/main.go", "m/cmd/x/README.md", "outside/of/the/tool.x"} {
		write(t, filepath.Join(root, file), "package main // new\n")
		if after := key(t, root, tool, "go1.26.0", "linux/amd64"); after != before {
			t.Errorf("the key changed with %s", file)
		}
	}
}

func TestKeyNamesTheToolWhosePinsAreMissing(t *testing.T) {
	root, tool := module(t)
	tool.ModFile = "gone.mod"
	if _, err := Key(root, tool, "go1.26.0", "linux/amd64"); err == nil || !contains(err.Error(), "x: pins", "gone.mod") {
		t.Errorf("want an error that names tool and file, got %v", err)
	}
}

func key(t *testing.T, root string, tool Tool, version, target string) string {
	t.Helper()
	k, err := Key(root, tool, version, target)
	if err != nil {
		t.Fatal(err)
	}
	if len(k) != 16 {
		t.Errorf("want 16 digits, got %q", k)
	}
	return k
}
