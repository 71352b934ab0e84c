// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/provider/remote"
	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

// machine answers the observe script from its state, and takes every other
// script as having done what it should once apply is called.
type machine struct {
	now     observation
	becomes *observation
	// fail is the summary of a script that fails, with this text.
	fail, text string
	cancel     func()
}

func bareMachine() *machine {
	return &machine{now: observation{facts: Facts{OSRelease: "Debian", CPUs: 2, MemoryMiB: 4096, DiskGiB: 20, MachineID: "id-a", CgroupVersion: "v2"}, etcHosts: "127.0.0.1 localhost\n"}}
}

// as is the machine on which everything is as in asks for.
func (m *machine) as(in HostArgs) *machine {
	s := predicted(in, HostState{Facts: m.now.facts})
	o := s.observed()
	for _, name := range in.Packages {
		o.packages[name] = "1.0"
	}
	o.etcHosts = withHostsBlock(m.now.etcHosts, renderHostEntries(in.HostEntries))
	return &machine{now: o}
}

func (m *machine) report() string {
	var b strings.Builder
	f := m.now.facts
	fmt.Fprintf(&b, "fact\tkernel\t%s\nfact\tcpus\t%d\nfact\tmemoryMiB\t%d\nfact\tdiskGiB\t%d\nfact\tmachineId\t%s\nfact\tcgroupVersion\t%s\n", f.Kernel, f.CPUs, f.MemoryMiB, f.DiskGiB, f.MachineID, f.CgroupVersion)
	fmt.Fprintf(&b, "fact\tosRelease\t%s\n", base64.StdEncoding.EncodeToString([]byte("PRETTY_NAME="+f.OSRelease)))
	fmt.Fprintf(&b, "etchosts\t-\t%s\n", base64.StdEncoding.EncodeToString([]byte(m.now.etcHosts)))
	for kind, values := range map[string]map[string]string{"package": m.now.packages, "file": m.now.files, "unit": m.now.units, "sysctl": m.now.sysctls, "module": m.now.modules} {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", kind, k, strings.TrimPrefix(values[k], "sha256:"))
		}
	}
	return b.String()
}

func (m *machine) host() *remotetest.Host {
	return &remotetest.Host{Rules: []remotetest.Rule{{Do: func(script string) (remote.Result, error) {
		summary := remote.Summary(script)
		if m.fail != "" && summary == m.fail {
			if m.cancel != nil {
				m.cancel()
			}
			return remote.Result{ExitCode: 1, Stderr: m.text}, nil
		}
		if summary == "look at the host" {
			return remote.Result{Stdout: m.report()}, nil
		}
		if m.becomes != nil && summary == "start units" {
			m.now = *m.becomes
		}
		return remote.Result{}, nil
	}}}}
}

func (m *machine) dialer() *remotetest.Fake {
	return remotetest.New(map[string]*remotetest.Host{"a": m.host()})
}

// recordScripts runs a bare machine through all steps and returns the scripts.
func recordScripts(t *testing.T, a *applier) []remotetest.Call {
	t.Helper()
	m := bareMachine()
	fake := m.dialer()
	conn, err := fake.Dial(t.Context(), a.in.SSH.Target("a", a.in.Address))
	if err != nil {
		t.Fatal(err)
	}
	a.host, a.say = conn, func(string, ...any) {}
	a.earlier = HostState{Files: map[string]string{"/etc/gone": ""}, SysctlValues: map[string]string{"a.b": "1"}}
	if err := a.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return fake.Calls()
}

// did lists what was asked of a host, without looking.
func did(fake *remotetest.Fake) []string {
	var out []string
	for _, c := range fake.Calls() {
		if c.What != "look at the host" {
			out = append(out, c.What)
		}
	}
	return out
}
