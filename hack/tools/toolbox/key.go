// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// keyFormat is raised when the builder itself changes what comes out.
const keyFormat = "1"

// Key names a build by everything that decides its bytes: flags, stamps, the
// Go version, the target, the module's go.mod and go.sum and the source that is
// ours. It reads files under root, the top of the repository, and is 16 hex
// digits long.
func Key(root string, t Tool, goVersion, target string) (string, error) {
	h := sha256.New()
	for _, s := range append([]string{keyFormat, goVersion, target, t.Package, t.Binary}, t.Links...) {
		fmt.Fprintf(h, "%q\n", s)
	}
	for _, s := range BuildArgs(t, "") {
		fmt.Fprintf(h, "%q\n", s)
	}
	dir := filepath.Join(root, t.Module)
	files := []string{t.modFile(), sumFile(t.modFile())}
	for _, f := range files {
		if err := hashFile(h, dir, f); err != nil {
			return "", fmt.Errorf("%s: pins cannot be read: %w", t.Name, err)
		}
	}
	overlaid, err := overlayFiles(dir)
	if err != nil {
		return "", fmt.Errorf("%s: overlay cannot be read: %w", t.Name, err)
	}
	for _, f := range overlaid {
		if err := hashFile(h, dir, f); err != nil {
			return "", fmt.Errorf("%s: overlay cannot be read: %w", t.Name, err)
		}
	}
	if t.Package == "." || strings.HasPrefix(t.Package, "./") {
		if err := hashSource(h, dir, t.Package); err != nil {
			return "", fmt.Errorf("%s: source cannot be read: %w", t.Name, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// hashSource adds the Go files of a package of ours and of the packages below
// it, except tests.
func hashSource(h hash.Hash, dir, pkg string) error {
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, pkg), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, f := range files {
		if err := hashFile(h, dir, f); err != nil {
			return err
		}
	}
	return nil
}

// hashFile adds a file's name and bytes.
func hashFile(h hash.Hash, dir, name string) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%q %d\n", filepath.ToSlash(name), len(data))
	_, err = h.Write(data)
	return err
}

// modFile is the name of the go.mod that the tool is built with.
func (t Tool) modFile() string {
	if t.ModFile != "" {
		return t.ModFile
	}
	return "go.mod"
}
