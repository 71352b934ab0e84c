// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/gomega"
)

// snapshot is what a rack adds to a machine while it runs, and must take away: network links, addresses, mounts,
// cgroups, packet filter tables and processes.
type snapshot map[string][]string

func takeSnapshot() snapshot {
	s := snapshot{
		"links":     lines("ip", "-o", "link"),
		"nftables":  lines("nft", "list", "tables"),
		"mounts":    {},
		"cgroups":   {},
		"processes": {},
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(mounts)) {
		s["mounts"] = append(s["mounts"], strings.Fields(line)[1])
	}
	Expect(filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, "spine-e2e") {
			s["cgroups"] = append(s["cgroups"], path)
		}
		return nil
	})).To(Succeed())
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	Expect(err).NotTo(HaveOccurred())
	for _, name := range names {
		command, _ := os.ReadFile(name) // a process that has just ended is not there to be counted
		text := strings.ReplaceAll(string(command), "\x00", " ")
		if strings.Contains(text, "systemd-nspawn") && strings.Contains(text, "e2e") || strings.Contains(text, "spine-e2e/racks") {
			s["processes"] = append(s["processes"], text)
		}
	}
	return s
}

// ofAnotherRack: somebody may bring a rack of their own up or down meanwhile.
func ofAnotherRack(name string) bool {
	return anyRack.MatchString(name) && !strings.Contains(name, "e2e")
}

var anyRack = regexp.MustCompile(`\b(sp|vb)-|\bspine_`)

// lines runs a command and returns its output's lines without what counts up or changes state by itself.
func lines(name string, args ...string) []string {
	out, err := exec.Command(name, args...).Output()
	Expect(err).NotTo(HaveOccurred(), name)
	var found []string
	for line := range strings.Lines(string(out)) {
		if name == "ip" {
			line = strings.Fields(line)[1] // the link's name: its index and flags are not the rack's doing
		}
		if line = strings.TrimSpace(line); !ofAnotherRack(line) {
			found = append(found, line)
		}
	}
	slices.Sort(found)
	return found
}

func anyRackUp() bool {
	bridges, err := filepath.Glob("/sys/class/net/sp-*")
	Expect(err).NotTo(HaveOccurred())
	return len(bridges) > 0
}

// sysctl is a kernel setting's value; empty where the kernel does not have it.
func sysctl(path string) string {
	value, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		Expect(err).To(MatchError(os.ErrNotExist))
	}
	return strings.TrimSpace(string(value))
}
