// SPDX-License-Identifier: Apache-2.0

// Package cgroup gives each host a cgroup of its own in every hierarchy of the outer machine,
// whether that runs cgroup v1, v2 or both, and answers from the kernel which processes live in it.
package cgroup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Mode is how the outer machine has its cgroups mounted.
type Mode string

const (
	// V1 has every controller in a hierarchy of its own, and systemd's named one.
	V1 Mode = "v1"
	// Hybrid is V1 with a unified hierarchy without controllers beside it.
	Hybrid Mode = "hybrid"
	// V2 has one unified hierarchy with all controllers.
	V2 Mode = "v2"
)

// base is where every init system mounts its cgroups.
const base = "/sys/fs/cgroup"

// systemdName is the controller-less v1 hierarchy that systemd, and so systemd-nspawn, tracks processes in.
const systemdName = "name=systemd"

// Hierarchy is one mounted cgroup tree.
type Hierarchy struct {
	// Path is the mount point.
	Path string
	// Controllers of a v1 hierarchy, such as "memory" or "name=systemd". Empty for a unified one.
	Controllers []string
	// Unified is true for cgroup2.
	Unified bool
}

// System is the cgroup set-up of the outer machine.
type System struct {
	Mode        Mode
	Hierarchies []Hierarchy
}

// Detect reads the set-up from this process's mount table.
func Detect() (System, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return System{}, err
	}
	defer f.Close()
	return Parse(f)
}

// Parse finds the cgroup set-up in the text of a mountinfo file.
func Parse(r io.Reader) (System, error) {
	var s System
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		h, ok := parseLine(lines.Text())
		if !ok || seen[h.Path] {
			continue
		}
		seen[h.Path] = true
		s.Hierarchies = append(s.Hierarchies, h)
	}
	if err := lines.Err(); err != nil {
		return System{}, fmt.Errorf("mount table: %w", err)
	}
	v1 := slices.ContainsFunc(s.Hierarchies, func(h Hierarchy) bool { return !h.Unified })
	unified := slices.ContainsFunc(s.Hierarchies, func(h Hierarchy) bool { return h.Unified })
	switch {
	case v1 && unified:
		s.Mode = Hybrid
	case v1:
		s.Mode = V1
	case unified:
		s.Mode = V2
	default:
		return System{}, fmt.Errorf("no cgroup file system is mounted under %s: mount one, as every init system does", base)
	}
	if s.Mode != V2 {
		if err := s.complete(); err != nil {
			return System{}, err
		}
	}
	return s, nil
}

// complete checks that a v1 set-up has what systemd-nspawn and kubelet cannot do without.
func (s System) complete() error {
	var missing []string
	for _, c := range []string{systemdName, "memory", "cpu", "cpuset", "pids", "devices", "freezer"} {
		if !slices.ContainsFunc(s.Hierarchies, func(h Hierarchy) bool { return slices.Contains(h.Controllers, c) }) {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("cgroup v1 without the hierarchies %s: mount each, as in `mount -t cgroup -o NAME cgroup %s/NAME` (for %s: -o none,%s)",
			strings.Join(missing, ", "), base, systemdName, systemdName)
	}
	return nil
}

// parseLine takes one mountinfo line (proc_pid_mountinfo(5)):
// id parent major:minor root mountpoint options optional... - type source superoptions.
func parseLine(line string) (Hierarchy, bool) {
	left, right, ok := strings.Cut(line, " - ")
	if !ok {
		return Hierarchy{}, false
	}
	fields, fs := strings.Fields(left), strings.Fields(right)
	if len(fields) < 6 || len(fs) < 3 {
		return Hierarchy{}, false
	}
	h := Hierarchy{Path: fields[4]}
	if h.Path != base && !strings.HasPrefix(h.Path, base+"/") {
		return Hierarchy{}, false
	}
	switch fs[0] {
	case "cgroup2":
		h.Unified = true
		return h, true
	case "cgroup":
		// The super options mix mount flags, controllers and release-agent settings.
		for o := range strings.SplitSeq(fs[2], ",") {
			if o == "rw" || o == "ro" || o == "xattr" || o == "clone_children" || strings.HasPrefix(o, "release_agent=") {
				continue
			}
			h.Controllers = append(h.Controllers, o)
		}
		return h, len(h.Controllers) > 0
	default:
		return Hierarchy{}, false
	}
}
