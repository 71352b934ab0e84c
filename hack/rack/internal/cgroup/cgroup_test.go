// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	hybridMounts = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset,clone_children
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`
	v2Mounts = `22 27 0:21 / /proc rw,relatime - proc proc rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`
)

func without(mounts, word string) string {
	var keep []string
	for line := range strings.Lines(mounts) {
		if !strings.Contains(line, word) {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "")
}

func TestParse(t *testing.T) {
	cases := map[string]struct {
		mounts      string
		mode        Mode
		hierarchies int
		err         string
	}{
		"hybrid":            {mounts: hybridMounts, mode: Hybrid, hierarchies: 8},
		"pure v1":           {mounts: without(hybridMounts, "cgroup2"), mode: V1, hierarchies: 7},
		"pure v2":           {mounts: v2Mounts, mode: V2, hierarchies: 1},
		"v1 mounted twice":  {mounts: hybridMounts + hybridMounts, mode: Hybrid, hierarchies: 8},
		"v1 elsewhere":      {mounts: v2Mounts + "50 24 0:40 / /mnt/old rw - cgroup cgroup rw,memory\n", mode: V2, hierarchies: 1},
		"none":              {mounts: without(v2Mounts, "cgroup2"), err: "no cgroup file system"},
		"v1 without memory": {mounts: without(hybridMounts, "rw,memory"), err: "without the hierarchies memory"},
		"v1 without systemd and pids": {
			mounts: without(without(hybridMounts, "systemd"), "rw,pids"), err: "without the hierarchies name=systemd, pids",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(strings.NewReader(c.mounts))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Mode != c.mode || len(s.Hierarchies) != c.hierarchies {
				t.Errorf("mode %s with %d hierarchies, want %s with %d", s.Mode, len(s.Hierarchies), c.mode, c.hierarchies)
			}
		})
	}
}

func TestParseTracking(t *testing.T) {
	for mounts, want := range map[string]string{hybridMounts: "/sys/fs/cgroup/systemd", v2Mounts: "/sys/fs/cgroup"} {
		s, err := Parse(strings.NewReader(mounts))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.tracking().Path; got != want {
			t.Errorf("%s tracks processes in %s, want %s", s.Mode, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(hybridMounts)
	f.Add(v2Mounts)
	f.Add("1 2 3 4 /sys/fs/cgroup/x 6 - cgroup x rw")
	f.Fuzz(func(t *testing.T, mounts string) {
		s, err := Parse(strings.NewReader(mounts))
		if err == nil && s.tracking().Path == "" {
			t.Errorf("accepted a set-up that tracks no processes: %+v", s)
		}
	})
}

// fake lays out hierarchies in a plain folder: writes land in files, as in the kernel.
func fake(t *testing.T, mode Mode) (System, string) {
	t.Helper()
	dir := t.TempDir()
	if mode == V2 {
		write(t, filepath.Join(dir, "cgroup.subtree_control"), "cpu memory")
		return System{Mode: V2, Hierarchies: []Hierarchy{{Path: dir, Unified: true}}}, dir
	}
	s := System{Mode: mode}
	for _, c := range []string{systemdName, "cpuset", "memory"} {
		path := filepath.Join(dir, c)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		s.Hierarchies = append(s.Hierarchies, Hierarchy{Path: path, Controllers: []string{c}})
	}
	write(t, filepath.Join(dir, "cpuset", "cpuset.cpus"), "0-3\n")
	write(t, filepath.Join(dir, "cpuset", "cpuset.mems"), "0\n")
	return s, dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCreateV1(t *testing.T) {
	s, dir := fake(t, V1)
	g := Group{System: s, Name: "spine-x.a"}
	if err := g.Create(1 << 30); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "memory", g.Name, "memory.limit_in_bytes"); got != "1073741824" {
		t.Errorf("memory limit %q", got)
	}
	if got := read(t, dir, "cpuset", g.Name, "cpuset.cpus"); got != "0-3" {
		t.Errorf("cpus %q", got)
	}
	if err := g.Enter(42); err != nil {
		t.Fatal(err)
	}
	if got := g.Processes(); !slices.Equal(got, []int{42}) {
		t.Errorf("processes %v", got)
	}
	if got := read(t, dir, systemdName, g.Name, "cgroup.procs"); got != "42" {
		t.Errorf("entered %q", got)
	}
}

func TestCreateV2(t *testing.T) {
	s, dir := fake(t, V2)
	g := Group{System: s, Name: "spine-x.a"}
	if err := g.Create(1 << 20); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, g.Name, "memory.max"); got != "1048576" {
		t.Errorf("memory limit %q", got)
	}
	// The last controller that was missing is the last one asked for.
	if got := read(t, dir, "cgroup.subtree_control"); got != "+pids" {
		t.Errorf("delegated %q", got)
	}
}

func TestCheck(t *testing.T) {
	v2, dir := fake(t, V2)
	write(t, filepath.Join(dir, "cgroup.controllers"), "cpuset cpu io memory hugetlb pids\n")
	if err := v2.Check(); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "cgroup.controllers"), "hugetlb cpu pids\n")
	if err := v2.Check(); err == nil || !strings.Contains(err.Error(), "without the controllers cpuset, io, memory at "+dir) {
		t.Errorf("%v", err)
	}
	if v1, _ := fake(t, V1); v1.Check() != nil {
		t.Error("a v1 set-up is asked for v2 controllers")
	}
}

func TestListAndRemove(t *testing.T) {
	s, dir := fake(t, V1)
	for _, path := range []string{"memory/spine-x.a/kubepods/pod1", "memory/spine-x.b", systemdName + "/spine-x.a/payload", "memory/spine-xy.a"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	groups := s.List("spine-x.")
	if len(groups) != 2 || groups[0].Name != "spine-x.a" || groups[1].Name != "spine-x.b" {
		t.Fatalf("found %+v", groups)
	}
	for _, g := range groups {
		if err := g.Remove(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if left := s.List("spine-"); len(left) != 1 || left[0].Name != "spine-xy.a" {
		t.Errorf("left %+v", left)
	}
}

func TestMemory(t *testing.T) {
	s, dir := fake(t, V1)
	g := Group{System: s, Name: "spine-x.a"}
	if err := g.Create(0); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "memory", g.Name, "memory.usage_in_bytes"), "1000\n")
	write(t, filepath.Join(dir, "memory", g.Name, "memory.stat"), "cache 1\ntotal_cache 400\ntotal_inactive_file 300\ntotal_rss 200\n")
	m, err := g.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if want := (Memory{Usage: 1000, File: 400, InactiveFile: 300, Anon: 200}); m != want {
		t.Errorf("got %+v, want %+v", m, want)
	}
}
