// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killPoll is how often a dying group is looked at again.
const killPoll = 10 * time.Millisecond

// v2Controllers are what a host needs delegated in a unified hierarchy.
var v2Controllers = []string{"cpu", "cpuset", "io", "memory", "pids"}

// Group is one named cgroup in all hierarchies.
type Group struct {
	System System
	// Name is a single path element below each hierarchy's root.
	Name string
}

// Check tells whether a unified hierarchy has the controllers that hosts need. A controller
// that some v1 hierarchy holds is missing from it.
func (s System) Check() error {
	if s.Mode != V2 {
		return nil
	}
	root := s.tracking().Path
	have, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(v2Controllers), func(c string) bool {
		return slices.Contains(strings.Fields(string(have)), c)
	})
	if len(missing) > 0 {
		return fmt.Errorf("cgroup v2 without the controllers %s at %s: enable them for this machine or container", strings.Join(missing, ", "), root)
	}
	return nil
}

// Create makes the group in every hierarchy. memoryBytes limits its memory; zero leaves it free.
func (g Group) Create(memoryBytes int64) error {
	for _, h := range g.System.Hierarchies {
		dir := filepath.Join(h.Path, g.Name)
		if h.Unified && g.System.Mode == V2 {
			if err := delegate(h.Path); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cgroup %s: %w", g.Name, err)
		}
		if err := g.configure(h, dir, memoryBytes); err != nil {
			return fmt.Errorf("cgroup %s: %w", g.Name, err)
		}
	}
	return nil
}

// delegate lets children of a unified root use the controllers that hosts need.
func delegate(root string) error {
	have, err := os.ReadFile(filepath.Join(root, "cgroup.subtree_control"))
	if err != nil {
		return err
	}
	enabled := strings.Fields(string(have))
	for _, c := range v2Controllers {
		if slices.Contains(enabled, c) {
			continue
		}
		if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil {
			return fmt.Errorf("cgroup v2: cannot delegate the %s controller from %s: %w", c, root, err)
		}
	}
	return nil
}

func (g Group) configure(h Hierarchy, dir string, memoryBytes int64) error {
	write := func(file, value string) error {
		return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
	}
	// A new v1 cpuset is empty and takes no process until it has processors and memory nodes.
	if slices.Contains(h.Controllers, "cpuset") {
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(h.Path, file))
			if err != nil {
				return err
			}
			if err := write(file, strings.TrimSpace(string(value))); err != nil {
				return err
			}
		}
	}
	if memoryBytes == 0 {
		return nil
	}
	limit := strconv.FormatInt(memoryBytes, 10)
	if slices.Contains(h.Controllers, "memory") {
		return write("memory.limit_in_bytes", limit)
	}
	if g.System.Mode == V2 {
		return write("memory.max", limit)
	}
	return nil
}

// Enter moves a process into the group in every hierarchy.
func (g Group) Enter(pid int) error {
	for _, h := range g.System.Hierarchies {
		file := filepath.Join(h.Path, g.Name, "cgroup.procs")
		if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("enter cgroup %s: %w", g.Name, err)
		}
	}
	return nil
}

// tracking is the hierarchy that every process of a host is sure to be in.
func (s System) tracking() Hierarchy {
	for _, h := range s.Hierarchies {
		if s.Mode == V2 || slices.Contains(h.Controllers, systemdName) {
			return h
		}
	}
	return Hierarchy{}
}

// Init is the pid of the machine that systemd-nspawn booted in the group, or 0 when none runs.
func (g Group) Init() int {
	// systemd in the machine moves itself to init.scope; until then it is in payload.
	for _, sub := range []string{"payload/init.scope", "payload"} {
		for _, pid := range procs(filepath.Join(g.System.tracking().Path, g.Name, sub)) {
			if isInit(pid) {
				return pid
			}
		}
	}
	return 0
}

// isInit tells whether a process is the first of its own pid namespace.
func isInit(pid int) bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			fields := strings.Fields(ids)
			return len(fields) > 1 && fields[len(fields)-1] == "1"
		}
	}
	return false
}

// Processes lists all processes of the group and its children, in any hierarchy.
func (g Group) Processes() []int {
	var all []int
	for _, h := range g.System.Hierarchies {
		// What vanishes during the walk has no processes: such errors end nothing.
		_ = filepath.WalkDir(filepath.Join(h.Path, g.Name), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, procs(path)...)
			}
			return nil
		})
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func procs(dir string) []int {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for text := range strings.FieldsSeq(string(data)) {
		// A process of another pid namespace than ours reads as 0.
		if pid, err := strconv.Atoi(text); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Kill ends every process of the group with SIGKILL and returns once none is left.
// Killing the machine's init first lets the kernel take down its whole pid namespace at once.
func (g Group) Kill(ctx context.Context) error {
	self := os.Getpid()
	for {
		pids := slices.DeleteFunc(g.Processes(), func(pid int) bool { return pid == self })
		if len(pids) == 0 {
			return nil
		}
		if pid := g.Init(); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cgroup %s: processes %v are still there after SIGKILL: %w", g.Name, pids, ctx.Err())
		case <-time.After(killPoll):
		}
	}
}

// Remove deletes the group with its children in every hierarchy. It waits for the kernel to
// let go of groups whose last process has just ended.
func (g Group) Remove(ctx context.Context) error {
	for _, h := range g.System.Hierarchies {
		for {
			err := removeTree(filepath.Join(h.Path, g.Name))
			if err == nil {
				break
			}
			if !errors.Is(err, syscall.EBUSY) {
				return fmt.Errorf("remove cgroup: %w", err)
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("remove cgroup: %w (%w)", err, ctx.Err())
			case <-time.After(killPoll):
			}
		}
	}
	return nil
}

// removeTree removes a cgroup depth first; the files in it go with their directory.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

// List finds the groups whose name starts with prefix in any hierarchy.
func (s System) List(prefix string) []Group {
	var names []string
	for _, h := range s.Hierarchies {
		entries, err := os.ReadDir(h.Path)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	var groups []Group
	for _, name := range slices.Compact(names) {
		groups = append(groups, Group{System: s, Name: name})
	}
	return groups
}
