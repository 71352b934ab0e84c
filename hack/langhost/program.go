// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
)

// buildIfStale returns the binary of the main package in dir, building it when
// any file of its module has changed since it was built. What the compiler says
// is in the error.
func buildIfStale(ctx context.Context, dir string) (binary string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root, err := moduleRoot(dir)
	if err != nil {
		return "", err
	}
	cache, err := cachedir.Root()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(dir))
	home := filepath.Join(cache, "programs", hex.EncodeToString(sum[:8]))
	unlock, err := cachedir.Lock(ctx, home)
	if err != nil {
		return "", err
	}
	defer unlock()
	// The fingerprint is from before the build, so that an edit during it leads
	// to another build next time.
	print, err := fingerprint(root)
	if err != nil {
		return "", fmt.Errorf("look for changes in %s: %w", root, err)
	}
	binary, mark := filepath.Join(home, "program"), filepath.Join(home, "fingerprint")
	if old, err := os.ReadFile(mark); err == nil && string(old) == print && cachedir.Exists(binary) {
		return binary, nil
	}
	// Without a mark nothing is current, whatever happens from here on.
	if err := os.Remove(mark); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := build(ctx, dir, binary); err != nil {
		return "", err
	}
	return binary, os.WriteFile(mark, []byte(print), 0o644)
}

// build compiles the package in dir. The new binary replaces the old one in one
// step: a program that is running keeps the old.
func build(ctx context.Context, dir, binary string) error {
	next := binary + ".next"
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "build", "-o", next, ".")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &output, &output
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("the program in %s has to be built, and go is not on PATH: run hack/bootstrap.sh, or put Go on PATH", dir)
		}
		if output.Len() == 0 {
			return fmt.Errorf("go build in %s: %w", dir, err)
		}
		return fmt.Errorf("the program in %s does not compile:\n%s", dir, strings.TrimSpace(output.String()))
	}
	return os.Rename(next, binary)
}

// moduleRoot is the nearest folder at or above dir with a go.mod.
func moduleRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if cachedir.Exists(filepath.Join(d, "go.mod")) {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is in no Go module: no go.mod there or above", dir)
		}
	}
}

// fingerprint sums up name, size and time of every file of a module that a
// build may read: source, pins and whatever might be embedded. It leaves out
// hidden folders, other modules inside, tests, and Pulumi's own settings, which
// change without the program changing.
func fingerprint(root string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path == root {
				return nil
			}
			if strings.HasPrefix(name, ".") || name == "node_modules" || cachedir.Exists(filepath.Join(path, "go.mod")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "Pulumi.") && strings.HasSuffix(name, ".yaml") {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's temporary file
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
