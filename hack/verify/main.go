// SPDX-License-Identifier: Apache-2.0

// Command verify checks what compilers and linters do not know about this repository:
// import directions, the fixed top level, file sizes and licence lines, unfinished marks,
// and links between pages. It prints one line per finding and exits 1 when there is any.
//
//	go run ./hack/verify
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// finding is one thing to put right. Line is 0 when it concerns the whole file.
type finding struct {
	path    string
	line    int
	message string
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.message
	}
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.message)
}

// tree is the repository's files: paths from its root, and their content.
type tree struct {
	paths []string
	fsys  fs.FS
}

func (t tree) read(path string) (string, error) {
	b, err := fs.ReadFile(t.fsys, path)
	return string(b), err
}

// treeChecks look at files only. Each returns its findings; an error means that the check
// could not be done.
var treeChecks = []func(tree) ([]finding, error){topLevel, goFiles, marks, links}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	findings, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context) ([]finding, error) {
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root = strings.TrimSpace(root)
	t, err := openTree(ctx, root)
	if err != nil {
		return nil, err
	}
	var findings []finding
	for _, check := range treeChecks {
		found, err := check(t)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	found, err := imports(ctx, root)
	if err != nil {
		return nil, err
	}
	findings = append(findings, found...)
	slices.SortFunc(findings, func(a, b finding) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.message, b.message)
	})
	return findings, nil
}

// openTree lists what is in git or would be: new files count before they are added.
func openTree(ctx context.Context, root string) (tree, error) {
	out, err := output(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return tree{}, err
	}
	t := tree{fsys: os.DirFS(root)}
	for path := range strings.SplitSeq(out, "\x00") {
		// A file deleted but not yet staged is still listed; a link is checked as what it names.
		if info, err := os.Stat(filepath.Join(root, path)); path != "" && err == nil && info.Mode().IsRegular() {
			t.paths = append(t.paths, filepath.ToSlash(path))
		}
	}
	slices.Sort(t.paths)
	return t, nil
}

// output runs a command in dir and returns what it prints; the error holds what it said.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}
