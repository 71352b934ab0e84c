// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// quicken puts settings in place that make the second stage fast; undo removes
// them.
func quicken(dir string) (undo func() error, err error) {
	settings := filepath.Join(dir, "etc/dpkg/dpkg.cfg.d/build")
	if err := os.MkdirAll(filepath.Dir(settings), 0o755); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(settings) }, os.WriteFile(settings, []byte(dpkgSettings), 0o644)
}

// dropped is what must not be the same on every host, or tells of the machine
// that built it. Services that only run once they are configured are switched
// off.
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
	"etc/systemd/system/*.wants/containerd.service",
	"etc/systemd/system/*.wants/keepalived.service",
}

// sources replaces the list of archives: hosts have no internet.
const sources = "# Sites have no internet: name your own mirror here.\n"

// finish makes the system one that many hosts can start from.
func finish(dir string) error {
	for _, pattern := range dropped {
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
	for _, path := range []string{"sbin/init", "usr/sbin/sshd", "usr/bin/containerd", "usr/sbin/keepalived"} {
		if _, err := os.Lstat(filepath.Join(dir, path)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the new system has no /%s: debootstrap ended without installing everything", path)
		} else if err != nil {
			return err
		}
	}
	return nil
}
