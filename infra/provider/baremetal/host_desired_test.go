// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/golden"
)

func ptr[T any](v T) *T { return &v }

// goodArgs are goodHost's values as the resource sees them.
func goodArgs() HostArgs {
	return HostArgs{
		Name: "a", Address: "10.90.0.11",
		SSH:              SSH{HostKey: testHostKey, Port: ptr(22), User: ptr("root"), IdentityFile: ptr("~/.ssh/id")},
		Labels:           &Labels{Site: "local", Rack: "r1"},
		Requirements:     &Requirements{CPUs: ptr(2), MemoryMiB: ptr(2048), DiskGiB: ptr(10)},
		Packages:         []string{"containerd", "keepalived"},
		Sysctls:          map[string]string{"net.ipv4.ip_forward": "1"},
		KernelModules:    []string{"overlay", "br_netfilter"},
		ContainerRuntime: &ContainerRuntime{SandboxImage: "10.90.0.1:5000/spine/pause:3.10"},
		Registry:         &Registry{Host: "10.90.0.1:5000", Mirrors: []string{"10.90.0.2:5000"}, CA: ptr("PEM\n")},
		HostEntries:      map[string]string{"api.local.spine.internal": "10.90.0.100", "a": "10.90.0.11"},
		VirtualAddresses: []VirtualAddress{
			{Name: "api", Address: "10.90.0.100/24", Interface: "host0", RouterID: 51, CheckURL: "https://127.0.0.1:6443/livez", Majority: ptr(true)},
			{Name: "edge", Address: "10.90.0.101/24", Interface: "host0", RouterID: 52, Priority: ptr(90), CheckURL: "https://127.0.0.1:8443/ping", CheckCA: ptr("/etc/ssl/edge.crt")},
		},
	}
}

// The files of a host in full, so that a change of any shows in review.
func TestDesiredFiles(t *testing.T) {
	spec := desired(goodArgs())
	var b strings.Builder
	fmt.Fprintf(&b, "units %s\n", strings.Join(spec.units, " "))
	for _, path := range slices.Sorted(maps.Keys(spec.files)) {
		fmt.Fprintf(&b, "=== %s %04o\n%s", path, spec.files[path].mode, spec.files[path].content)
	}
	golden.Assert(t, b.String(), "host-files.txt")
}

func TestDesiredOfBareHost(t *testing.T) {
	spec := desired(HostArgs{Name: "a"})
	if len(spec.files) != 0 || !slices.Equal(spec.units, []string{sshUnit}) {
		t.Errorf("a host of which nothing is asked gets %v, %v", spec.files, spec.units)
	}
}

func TestHostsBlock(t *testing.T) {
	block := renderHostEntries(map[string]string{"api": "10.90.0.100"})
	tests := map[string]struct{ content, want string }{
		"new":                 {"127.0.0.1 localhost\n", "127.0.0.1 localhost\n" + block},
		"no line end":         {"127.0.0.1 localhost", "127.0.0.1 localhost\n" + block},
		"empty":               {"", block},
		"replaced":            {"127.0.0.1 localhost\n" + renderHostEntries(map[string]string{"old": "10.0.0.1"}) + "::1 localhost\n", "127.0.0.1 localhost\n::1 localhost\n" + block},
		"twice":               {block + "::1 localhost\n" + block, "::1 localhost\n" + block},
		"end lost":            {"::1 localhost\n" + hostsBegin + "\n10.0.0.1 old\n", "::1 localhost\n" + block},
		"end without a begin": {hostsEnd + "\n::1 localhost\n", hostsEnd + "\n::1 localhost\n" + block},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := withHostsBlock(test.content, block); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// Whatever /etc/hosts holds, our block is found again after it was written, and
// removing it leaves every line of others.
func FuzzHostsBlock(f *testing.F) {
	f.Add("127.0.0.1 localhost\n", "api")
	f.Add(hostsBegin+"\n10.0.0.1 x\n"+hostsEnd+"\nrest", "b")
	f.Add(hostsEnd+"\r\n"+hostsBegin+"\r\n", "c")
	f.Fuzz(func(t *testing.T, content, name string) {
		if strings.ContainsAny(name, "\r\n") {
			return
		}
		block := renderHostEntries(map[string]string{name: "10.0.0.1"})
		others, _ := splitHosts(content)
		written := withHostsBlock(content, block)
		left, found := splitHosts(written)
		if found != block {
			t.Errorf("wrote %q, found %q", block, found)
		}
		if strings.TrimSuffix(left, "\n") != strings.TrimSuffix(others, "\n") {
			t.Errorf("others were %q, are %q", others, left)
		}
		if withHostsBlock(written, block) != written {
			t.Error("writing again changes the file")
		}
	})
}
