// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// files writes files below dir.
func files(t *testing.T, dir string, content map[string]string) {
	t.Helper()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// program makes a module with a main package that prints the text of another
// package and an embedded file.
func program(t *testing.T) (root, dir string) {
	t.Helper()
	t.Setenv("SPINE_CACHE", t.TempDir())
	root = t.TempDir()
	files(t, root, map[string]string{
		"go.mod":          "module m\n\ngo 1.26.0\n",
		"app/main.go":     "package main\n\nimport (\n\t_ \"embed\"\n\t\"m/other\"\n)\n\n//go:embed words.yaml\nvar words string\n\nfunc main() { print(other.Text, words) }\n",
		"app/words.yaml":  "embedded",
		"other/other.go":  "package other\n\nconst Text = \"first \"\n",
		"inner/go.mod":    "module inner\n",
		"inner/broken.go": "this is not Go",
	})
	return root, filepath.Join(root, "app")
}

// prints builds when needed, and runs.
func prints(t *testing.T, dir string) string {
	t.Helper()
	binary, err := buildIfStale(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(binary).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBuildIfStaleFollowsTheSource(t *testing.T) {
	root, dir := program(t)
	if got := prints(t, dir); got != "first embedded" {
		t.Fatalf("got %q", got)
	}
	for _, c := range []struct{ file, content, want string }{
		{"other/other.go", "package other\n\nconst Text = \"second \"\n", "second embedded"},
		{"app/words.yaml", "changed", "second changed"},
	} {
		files(t, root, map[string]string{c.file: c.content})
		if got := prints(t, dir); got != c.want {
			t.Errorf("after a change of %s: got %q, want %q", c.file, got, c.want)
		}
	}
}

func TestBuildIfStaleBuildsOnlyThen(t *testing.T) {
	root, dir := program(t)
	binary, err := buildIfStale(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(binary, long, long); err != nil {
		t.Fatal(err)
	}
	files(t, root, map[string]string{
		"app/main_test.go": "package main\n", ".git/index": "x", "Pulumi.dev.yaml": "config: {}\n", "inner/more.go": "nor this",
	})
	if _, err := buildIfStale(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(binary); err != nil || !info.ModTime().Equal(long) {
		t.Errorf("built again for nothing: %v, %v", info.ModTime(), err)
	}
	if err := os.Remove(filepath.Join(root, "other/other.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := buildIfStale(t.Context(), dir); err == nil {
		t.Error("a file that is gone must be noticed")
	}
}

func TestBuildIfStaleShowsTheCompilersWords(t *testing.T) {
	root, dir := program(t)
	files(t, root, map[string]string{"other/other.go": "package other\n\nconst Text = nothing\n"})
	for range 2 {
		_, err := buildIfStale(t.Context(), dir)
		if err == nil || !strings.Contains(err.Error(), dir+" does not compile") || !strings.Contains(err.Error(), "other.go:3:14: undefined: nothing") {
			t.Errorf("got %v", err)
		}
	}
	files(t, root, map[string]string{"other/other.go": "package other\n\nconst Text = \"mended \"\n"})
	if got := prints(t, dir); got != "mended embedded" {
		t.Errorf("got %q", got)
	}
}

func TestBuildIfStaleNeedsAModule(t *testing.T) {
	t.Setenv("SPINE_CACHE", t.TempDir())
	if _, err := buildIfStale(t.Context(), "/"); err == nil || !strings.Contains(err.Error(), "no go.mod") {
		t.Errorf("got %v", err)
	}
}
