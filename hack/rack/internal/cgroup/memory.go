// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Memory is what the processes of a group use, in bytes.
type Memory struct {
	// Usage is all memory charged to the group, page cache included.
	Usage int64
	// The kinds of memory within Usage, as the kernel counts them for the whole machine.
	ActiveAnon, InactiveAnon, ActiveFile, InactiveFile, Unevictable int64
	File, Anon, Mapped, Shmem, Dirty, Writeback                     int64
}

// Memory reads the group's memory use.
func (g Group) Memory() (Memory, error) {
	for _, h := range g.System.Hierarchies {
		dir := filepath.Join(h.Path, g.Name)
		switch {
		case slices.Contains(h.Controllers, "memory"):
			return readMemory(dir, "memory.usage_in_bytes", v1Names)
		case h.Unified && g.System.Mode == V2:
			return readMemory(dir, "memory.current", v2Names)
		}
	}
	return Memory{}, fmt.Errorf("cgroup %s: no memory controller", g.Name)
}

// names maps the lines of memory.stat to the fields of Memory.
type names map[string]func(*Memory) *int64

var v2Names = names{
	"active_anon":    func(m *Memory) *int64 { return &m.ActiveAnon },
	"inactive_anon":  func(m *Memory) *int64 { return &m.InactiveAnon },
	"active_file":    func(m *Memory) *int64 { return &m.ActiveFile },
	"inactive_file":  func(m *Memory) *int64 { return &m.InactiveFile },
	"unevictable":    func(m *Memory) *int64 { return &m.Unevictable },
	"file":           func(m *Memory) *int64 { return &m.File },
	"anon":           func(m *Memory) *int64 { return &m.Anon },
	"file_mapped":    func(m *Memory) *int64 { return &m.Mapped },
	"shmem":          func(m *Memory) *int64 { return &m.Shmem },
	"file_dirty":     func(m *Memory) *int64 { return &m.Dirty },
	"file_writeback": func(m *Memory) *int64 { return &m.Writeback },
}

// v1 counts a group's own memory and, with the prefix total_, that of its children too.
var v1Names = names{
	"total_active_anon":   v2Names["active_anon"],
	"total_inactive_anon": v2Names["inactive_anon"],
	"total_active_file":   v2Names["active_file"],
	"total_inactive_file": v2Names["inactive_file"],
	"total_unevictable":   v2Names["unevictable"],
	"total_cache":         v2Names["file"],
	"total_rss":           v2Names["anon"],
	"total_mapped_file":   v2Names["file_mapped"],
	"total_shmem":         v2Names["shmem"],
	"total_dirty":         v2Names["file_dirty"],
	"total_writeback":     v2Names["file_writeback"],
}

func readMemory(dir, usage string, fields names) (Memory, error) {
	var m Memory
	data, err := os.ReadFile(filepath.Join(dir, usage))
	if err != nil {
		return m, err
	}
	if m.Usage, err = strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err != nil {
		return m, fmt.Errorf("%s: %w", usage, err)
	}
	stat, err := os.ReadFile(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return m, err
	}
	return m, parseStat(string(stat), fields, &m)
}

func parseStat(stat string, fields names, m *Memory) error {
	for line := range strings.Lines(stat) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		field, known := fields[name]
		if !ok || !known {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("memory.stat: %s: %w", name, err)
		}
		*field(m) = n
	}
	return nil
}
