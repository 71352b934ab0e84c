// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// overlayDir holds files of ours that replace files of a dependency, at
// <import path>/<file>. It is used to leave out what a site never uses and what
// would take longest to build. Go ignores folders that start with "_".
const overlayDir = "_overlay"

// modulePlace is where a package and its module are in the module cache.
type modulePlace struct {
	module, version, moduleDir, packageDir string
}

// overlay copies the tool's module and those modules that have overlaid files
// into tmp, replaces the files in the copies and returns the copied module, or ""
// when the tool's overlays nothing. The originals have been verified against
// go.sum by then. (Go's own -overlay refuses files in the module cache.)
func (b *Builder) overlay(ctx context.Context, t Tool, tmp string) (module string, err error) {
	home := filepath.Join(b.Root, t.Module)
	files, err := overlayFiles(home)
	if err != nil || len(files) == 0 {
		return "", err
	}
	if err := os.CopyFS(tmp, os.DirFS(home)); err != nil {
		return "", fmt.Errorf("%s: copy %s: %w", t.Name, t.Module, err)
	}
	copies := map[string]string{} // by module path
	for _, rel := range files {
		place, err := b.place(ctx, t, filepath.ToSlash(filepath.Dir(strings.TrimPrefix(rel, overlayDir+"/"))))
		if err != nil {
			return "", err
		}
		if _, ok := copies[place.module]; !ok {
			// A relative path, as it ends up in the binary.
			name := fmt.Sprintf("./module%d", len(copies))
			if err := os.CopyFS(filepath.Join(tmp, name), os.DirFS(place.moduleDir)); err != nil {
				return "", fmt.Errorf("%s: copy module %s: %w", t.Name, place.module, err)
			}
			copies[place.module] = name
			if err := appendLine(filepath.Join(tmp, t.modFile()), fmt.Sprintf("replace %s %s => %s", place.module, place.version, name)); err != nil {
				return "", err
			}
		}
		if err := replaceFile(filepath.Join(home, rel), filepath.Join(tmp, copies[place.module]), place); err != nil {
			return "", fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return tmp, nil
}

// place finds a package among the tool's dependencies.
func (b *Builder) place(ctx context.Context, t Tool, pkg string) (modulePlace, error) {
	cmd := b.goCommand(ctx, t, "list", "-mod=readonly", "-find",
		"-f", "{{with .Module}}{{.Path}}\n{{.Version}}\n{{.Dir}}{{end}}\n{{.Dir}}", pkg)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := runLocked(cmd); err != nil {
		return modulePlace{}, explain(t, stderr.String(), err)
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != 4 {
		return modulePlace{}, fmt.Errorf("%s: %s/%s/%s replaces files of a package that is in no module", t.Name, t.Module, overlayDir, pkg)
	}
	return modulePlace{lines[0], lines[1], lines[2], lines[3]}, nil
}

// replaceFile puts the file over the one of the same name in the copied module.
func replaceFile(file, copied string, place modulePlace) error {
	rel, err := filepath.Rel(place.moduleDir, filepath.Join(place.packageDir, filepath.Base(file)))
	if err != nil {
		return err
	}
	target := filepath.Join(copied, rel)
	if _, err := os.Stat(target); err != nil {
		return fmt.Errorf("%s replaces a file that %s %s does not have: compare the package with the overlay, then remove or rename it",
			file, place.module, place.version)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o644)
}

// appendLine adds a line to a file.
func appendLine(path, line string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, "\n"+line+"\n"...), 0o644)
}

// sumFile is the go.sum that belongs to a go.mod.
func sumFile(modFile string) string { return strings.TrimSuffix(modFile, ".mod") + ".sum" }

// overlayFiles lists a module's overlaid files, relative to the module.
func overlayFiles(module string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(filepath.Join(module, overlayDir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(module, path)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return files, err
}
