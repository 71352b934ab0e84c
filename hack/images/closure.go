// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks ends a circle of symbolic links.
const maxLinks = 40

// closure makes a layer of programs taken from a root file system: each with the
// libraries it is linked with, the loader, and the links on the way to them. A
// layer of a few megabytes does what a whole Debian would, and leaves nothing
// else in the image to run. files are patterns of what programs load by name.
func closure(system string, programs, files []string) (Layer, error) {
	c := collector{system: system, found: map[string]File{}}
	for _, pattern := range files {
		paths, err := filepath.Glob(filepath.Join(system, pattern))
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s: nothing matches %s", system, pattern)
		}
		for _, p := range paths {
			if info, err := os.Stat(p); err != nil || !info.IsDir() {
				programs = append(programs, strings.TrimPrefix(p, system))
			}
		}
	}
	for _, p := range programs {
		if err := c.add(p); err != nil {
			return nil, fmt.Errorf("take %s from %s: %w", p, system, err)
		}
	}
	layer := make(Layer, 0, len(c.found))
	for _, p := range slices.Sorted(maps.Keys(c.found)) {
		layer = append(layer, c.found[p])
	}
	return layer, nil
}

// collector gathers files of a root file system.
type collector struct {
	system string
	// found is by absolute path inside.
	found map[string]File
}

// add adds a file, and when it is a program or library, what it is linked with.
func (c *collector) add(p string) error {
	real, err := c.resolve(p)
	if err != nil {
		return err
	}
	if _, ok := c.found[real]; ok {
		return nil
	}
	source := filepath.Join(c.system, real)
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", real)
	}
	c.found[real] = File{Path: real, Source: source, Mode: int64(info.Mode().Perm())}
	needed, err := linkedWith(source)
	if err != nil {
		return err
	}
	for _, name := range needed {
		library, err := c.library(name)
		if err != nil {
			return fmt.Errorf("%s: %w", real, err)
		}
		if err := c.add(library); err != nil {
			return err
		}
	}
	return nil
}

// resolve follows a path inside the root file system to the file itself, adding
// each symbolic link that it goes through, folders' too (/lib is one).
func (c *collector) resolve(p string) (string, error) {
	done, rest := "/", strings.Split(strings.Trim(path.Clean(p), "/"), "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		target, err := os.Readlink(filepath.Join(c.system, next))
		if err != nil {
			// Not a link, or not there, which the caller finds.
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s goes round in circles", p)
		}
		c.found[next] = File{Path: next, Link: target}
		if path.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(strings.Trim(path.Clean(target), "/"), "/"), rest...)
	}
	return done, nil
}

// library finds a library by name where the loader looks without being told.
func (c *collector) library(name string) (string, error) {
	if path.IsAbs(name) {
		return name, nil
	}
	for _, pattern := range []string{"/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*", "/lib", "/usr/lib", "/lib64"} {
		dirs, err := filepath.Glob(filepath.Join(c.system, pattern, name))
		if err != nil {
			return "", err
		}
		if len(dirs) > 0 {
			return strings.TrimPrefix(dirs[0], c.system), nil
		}
	}
	return "", fmt.Errorf("library %s is not in %s", name, c.system)
}

// linkedWith lists the libraries of a program or library, the loader included;
// none for a file of another kind.
func linkedWith(file string) ([]string, error) {
	reader, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	magic := make([]byte, len(elf.ELFMAG))
	if n, _ := reader.ReadAt(magic, 0); string(magic[:n]) != elf.ELFMAG {
		return nil, nil
	}
	f, err := elf.NewFile(reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name := make([]byte, p.Filesz)
			if _, err := p.ReadAt(name, 0); err != nil {
				return nil, err
			}
			needed = append(needed, strings.TrimRight(string(name), "\x00"))
		}
	}
	return needed, nil
}
