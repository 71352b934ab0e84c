// SPDX-License-Identifier: Apache-2.0

// Package debian makes root file systems of hosts and of images from Debian's
// signed packages.
package debian

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
)

// Rootfs describes a built root file system.
type Rootfs struct {
	// Dir is its top; nothing may be changed in it.
	Dir string
	// Made says that this call built it.
	Made bool
	// Took is how long that was.
	Took time.Duration
}

// Ensure builds the root file system, or finds it built. It needs root and
// debootstrap. progress is called with a line per stage.
func Ensure(ctx context.Context, cache string, s System, progress func(string)) (Rootfs, error) {
	fs := Rootfs{Dir: s.Dir(cache)}
	if cachedir.Exists(fs.Dir) {
		return fs, nil
	}
	if os.Geteuid() != 0 {
		return Rootfs{}, fmt.Errorf("a root file system can only be made by root: run this with sudo")
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		return Rootfs{}, fmt.Errorf("debootstrap is missing: run hack/bootstrap.sh or 'apt-get install debootstrap'")
	}
	mirror, err := FindMirror(ctx, s.Suite)
	if err != nil {
		return Rootfs{}, err
	}
	start := time.Now()
	fs.Made, err = cachedir.Make(ctx, fs.Dir, removeTree, func(tmp string) error {
		return s.bootstrap(ctx, tmp, filepath.Join(cache, "packages"), mirror, progress)
	})
	fs.Took = time.Since(start)
	return fs, err
}

// bootstrap fills dir in two stages, as dpkg's settings can only be put in place
// between them.
func (s System) bootstrap(ctx context.Context, dir, packages string, mirror Mirror, progress func(string)) error {
	if err := os.MkdirAll(packages, 0o755); err != nil {
		return err
	}
	progress(fmt.Sprintf("%d packages and what they need, of Debian %s", len(s.Packages), s.Suite))
	if err := s.stage(ctx, mirror, progress, "debootstrap", "--foreign", "--variant=minbase",
		"--cache-dir="+packages, "--include="+strings.Join(s.Packages, ","), s.Suite, dir, mirror.URI); err != nil {
		return err
	}
	undo, err := s.prepare(dir)
	if err != nil {
		return err
	}
	if err := s.stage(ctx, mirror, progress, "chroot", dir, "/debootstrap/debootstrap", "--second-stage"); err != nil {
		return err
	}
	if err := undo(); err != nil {
		return err
	}
	return s.finish(dir)
}

// stage runs one half of debootstrap, telling each of its phases once.
func (s System) stage(ctx context.Context, mirror Mirror, progress func(string), name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = mirror.environ()
	isolate(cmd)
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	last := make(chan []string)
	go func() { last <- follow(read, progress) }()
	err := runLocked(cmd)
	_ = write.Close()
	if lines := <-last; err != nil {
		return fmt.Errorf("%s of Debian %s failed: %w; its last words:\n  %s", filepath.Base(name), s.Suite, err, strings.Join(lines, "\n  "))
	}
	return nil
}

// phases are the first words of debootstrap's lines, in the order they come.
var phases = []string{"Retrieving", "Extracting", "Unpacking", "Configuring"}

// follow tells when a new phase begins, and returns the last lines.
func follow(r io.Reader, progress func(string)) []string {
	const keep = 8
	var last []string
	reached := -1
	for s := bufio.NewScanner(r); s.Scan(); {
		line := s.Text()
		if last = append(last, line); len(last) > keep {
			last = last[1:]
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(line, "I: "), " ")
		if i := slices.Index(phases, word); i > reached {
			reached = i
			progress(strings.ToLower(word))
		}
	}
	// A line too long for the scanner must not block the writer.
	_, _ = io.Copy(io.Discard, r)
	return last
}
