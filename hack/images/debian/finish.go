// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// dpkgSettings are for the build only: nothing is lost when the machine goes
// down during it, so files need no sync; and pages nobody reads on a host are
// left out.
const dpkgSettings = `force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/info/*
`

// prepare puts settings in place that make the second stage fast, and the
// system's own files; undo removes the settings.
func (s System) prepare(dir string) (undo func() error, err error) {
	settings := filepath.Join(dir, "etc/dpkg/dpkg.cfg.d/build")
	lines := dpkgSettings
	for _, pattern := range s.Excludes {
		lines += "path-exclude=" + pattern + "\n"
	}
	// dpkg goes by the last pattern that matches.
	for _, pattern := range s.Includes {
		lines += "path-include=" + pattern + "\n"
	}
	if err := write(settings, lines); err != nil {
		return nil, err
	}
	for path, content := range s.Files {
		if err := write(filepath.Join(dir, path), content); err != nil {
			return nil, err
		}
	}
	return func() error { return os.Remove(settings) }, nil
}

// write writes a file, and the folders above it. A script may be run.
func write(path, content string) error {
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), mode)
}

// dropped is what must not be the same on every host, or tells of the machine
// that built it.
var dropped = []string{
	"etc/ssh/ssh_host_*",
	"etc/hostname",
	"etc/resolv.conf",
	"etc/machine-id",
	"var/lib/dbus/machine-id",
	"var/lib/systemd/random-seed",
	"var/cache/apt/archives/*.deb",
	"var/cache/apt/*.bin",
	"var/lib/apt/lists/*",
	"var/cache/debconf/*-old",
	"var/cache/ldconfig",
	"var/log/*.log",
	"var/log/apt",
	"debootstrap",
	// From the first stage, which dpkg's settings come too late for.
	"usr/share/man/*",
	"usr/share/locale/*",
}

// sources replaces the list of archives: hosts have no internet.
const sources = "# Sites have no internet: name your own mirror here.\n"

// finish makes the system one that many hosts can start from.
func (s System) finish(dir string) error {
	for _, pattern := range slices.Concat(dropped, s.Dropped) {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/apt/sources.list"), []byte(sources), 0o644); err != nil {
		return err
	}
	// Where a host has no name resolution of its own, an empty file is better
	// than the build machine's.
	if err := os.WriteFile(filepath.Join(dir, "etc/resolv.conf"), nil, 0o644); err != nil {
		return err
	}
	for _, path := range s.Needs {
		if _, err := os.Lstat(filepath.Join(dir, path)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the new system has no /%s: debootstrap ended without installing everything", path)
		} else if err != nil {
			return err
		}
	}
	return checkUsers(dir, s.Users)
}

// checkUsers refuses a system whose users have other numbers than wanted.
func checkUsers(dir string, wanted map[string]int) error {
	if len(wanted) == 0 {
		return nil
	}
	table, err := os.ReadFile(filepath.Join(dir, "etc/passwd"))
	if err != nil {
		return err
	}
	got := map[string]string{}
	for line := range strings.Lines(string(table)) {
		if f := strings.Split(line, ":"); len(f) > 2 {
			got[f[0]] = f[2]
		}
	}
	for name, id := range wanted {
		if got[name] != strconv.Itoa(id) {
			return fmt.Errorf("user %s has number %q instead of %d: its package no longer takes the one that was set aside", name, got[name], id)
		}
	}
	return nil
}
