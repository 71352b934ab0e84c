// SPDX-License-Identifier: Apache-2.0

package outer

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// needed are the programs that the rack runs, and the Debian packages they come from.
var needed = []struct{ program, pkg string }{
	{"systemd-nspawn", "systemd-container"},
	{"nft", "nftables"},
	{"mkfs.ext4", "e2fsprogs"},
}

const (
	// DiskNeededMiB is what a site with all its images and volumes takes on disk.
	DiskNeededMiB = 10 << 10
	// overlayMagic is the file system type of overlayfs (statfs(2)).
	overlayMagic = 0x794c7630
)

// Needs is what a rack asks of the outer machine.
type Needs struct {
	// MemoryMiB is the memory of all hosts that are about to be started.
	MemoryMiB int
	// DiskMiB is the space that must be free where Home lies; 0 for a rack that exists.
	DiskMiB int
	// Home is the folder of the rack's disks; it need not exist yet.
	Home string
}

// Facts is what this machine has; Look reads them.
type Facts struct {
	Root         bool
	Missing      []string
	AvailableMiB int
	FreeMiB      int
	// Overlay says that the kernel has overlayfs; OnOverlay that Home lies on one.
	Overlay, OnOverlay bool
	// Loop says that the kernel has loop devices.
	Loop bool
}

// Look gathers the facts. home need not exist.
func Look(home string) (Facts, error) {
	f := Facts{Root: os.Geteuid() == 0}
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			f.Missing = append(f.Missing, n.pkg)
		}
	}
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return f, err
	}
	if f.AvailableMiB, err = availableMiB(string(meminfo)); err != nil {
		return f, err
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(existing(home), &st); err != nil {
		return f, fmt.Errorf("%s: %w", home, err)
	}
	f.FreeMiB = int(st.Bavail * uint64(st.Bsize) >> 20)
	f.OnOverlay = st.Type == overlayMagic
	filesystems, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return f, err
	}
	f.Overlay = strings.Contains(string(filesystems), "\toverlay\n")
	_, err = os.Stat("/dev/loop-control")
	f.Loop = err == nil
	return f, nil
}

// Problems lists everything that keeps a rack from coming up on a machine with these facts.
func (f Facts) Problems(n Needs) []error {
	var out []error
	add := func(format string, args ...any) { out = append(out, fmt.Errorf(format, args...)) }
	if !f.Root {
		add("not root: machines, links and cgroups need root; run it with sudo")
	}
	if len(f.Missing) > 0 {
		add("programs are missing: apt-get install %s", strings.Join(f.Missing, " "))
	}
	if !f.Overlay {
		add("the kernel has no overlay file system: modprobe overlay")
	}
	if !f.Loop {
		add("the kernel has no loop devices (/dev/loop-control), which hold the hosts' disks: modprobe loop")
	}
	if f.OnOverlay {
		add("%s lies on an overlay file system, which cannot hold the hosts' disks: set SPINE_HOME to a folder on a plain one (ext4, xfs)", n.Home)
	}
	if f.AvailableMiB < n.MemoryMiB {
		add("too little memory: the hosts to start have %d MiB together, %d MiB are available; free some, or set memoryMiB in the rack definition", n.MemoryMiB, f.AvailableMiB)
	}
	if f.FreeMiB < n.DiskMiB {
		add("too little disk: %d MiB needed where %s lies, %d MiB are free; free some, or set SPINE_HOME to another file system", n.DiskMiB, n.Home, f.FreeMiB)
	}
	return out
}

// availableMiB is MemAvailable of a meminfo file.
func availableMiB(meminfo string) (int, error) {
	lines := bufio.NewScanner(strings.NewReader(meminfo))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return kib >> 10, err
		}
	}
	return 0, errors.New("/proc/meminfo has no MemAvailable")
}

// existing is the nearest folder above path that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == "/" || path == "." {
			return path
		}
		path = filepath.Dir(path)
	}
}
