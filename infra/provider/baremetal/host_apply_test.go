// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote/remotetest"
)

func quiet(string, ...any) {}

func TestApplyBareMachine(t *testing.T) {
	in := goodArgs()
	m := bareMachine()
	m.becomes = &bareMachine().as(in).now
	fake := m.dialer()
	state, err := (&Host{Dialer: fake}).apply(t.Context(), in, HostState{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"preparing host a", "spine-packages", "remember the host as it was", "load kernel modules", "write files", "set kernel settings", "start units"}
	if got := did(fake); !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
	if len(compare(desired(in), state.observed())) > 0 || state.Facts.MachineID != "id-a" {
		t.Errorf("state %+v", state)
	}
}

func TestApplyChangesNothingOnAFinishedMachine(t *testing.T) {
	in := goodArgs()
	fake := bareMachine().as(in).dialer()
	if _, err := (&Host{Dialer: fake}).apply(t.Context(), in, HostState{}, quiet); err != nil {
		t.Fatal(err)
	}
	if got := did(fake); !slices.Equal(got, []string{"preparing host a"}) {
		t.Errorf("did %q", got)
	}
}

// A repair after drift touches nothing else.
func TestApplyRepairsJustTheDrift(t *testing.T) {
	in := goodArgs()
	tests := map[string]struct {
		drift func(*observation)
		want  []string
		says  []string
		not   []string
	}{
		"containerd's config": {
			func(o *observation) { o.files[containerdConfig] = "sha256:00" },
			[]string{"write files", "start units"}, []string{"start restart containerd.service"}, []string{"keepalived.service", "certs.d"},
		},
		"keepalived's config": {
			func(o *observation) { o.files[keepalivedConfig] = fileMissing },
			[]string{"write files", "start units"}, []string{"start reload keepalived.service"}, []string{"containerd.service"},
		},
		"a kernel setting":    {func(o *observation) { o.sysctls["net.ipv4.ip_forward"] = "0" }, []string{"set kernel settings"}, nil, nil},
		"a settings file":     {func(o *observation) { o.files[sysctlFile] = fileMissing }, []string{"write files"}, nil, nil},
		"a stopped unit":      {func(o *observation) { o.units[keepalivedUnit] = "disabled, inactive" }, []string{"start units"}, []string{"start restart keepalived.service"}, []string{"containerd.service"}},
		"an unread config":    {func(o *observation) { o.units[containerdUnit] = "enabled, active, restart pending" }, []string{"start units"}, []string{"start restart containerd.service"}, []string{"keepalived.service"}},
		"sshd is not stopped": {func(o *observation) { o.units[sshUnit] = "disabled, active" }, []string{"start units"}, []string{"start start ssh.service"}, []string{"restart ssh"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := bareMachine().as(in)
			test.drift(&m.now)
			fake := m.dialer()
			(&Host{Dialer: fake}).apply(t.Context(), in, HostState{}, quiet)
			got := did(fake)
			if want := append([]string{"preparing host a", "remember the host as it was"}, test.want...); !slices.Equal(got, want) {
				t.Errorf("did %q, want %q", got, want)
			}
			last := ""
			for _, c := range fake.Calls() {
				if c.What == test.want[len(test.want)-1] {
					last = c.Script
				}
			}
			_, last, _ = strings.Cut(last, "\n}\n")
			for _, s := range test.says {
				if !strings.Contains(last, s) {
					t.Errorf("script lacks %q:\n%s", s, last)
				}
			}
			for _, s := range test.not {
				if strings.Contains(last, s) {
					t.Errorf("script has %q:\n%s", s, last)
				}
			}
		})
	}
}

func TestApplyFailures(t *testing.T) {
	in := goodArgs()
	tests := map[string]struct {
		machine *machine
		locked  string
		earlier HostState
		partial bool
		says    []string
	}{
		"too little memory":  {machine: &machine{now: observation{facts: Facts{CPUs: 2, MemoryMiB: 1024, DiskGiB: 20}}}, says: []string{"host a (10.90.0.11): memory is 1024 MiB, requirements.memoryMiB asks for 2048: add memory or lower the requirement"}},
		"locked":             {machine: bareMachine(), locked: "upgrading", says: []string{"host a", "upgrading"}},
		"another machine":    {machine: bareMachine(), earlier: HostState{Facts: Facts{MachineID: "id-z"}}, says: []string{"host a", "id-a", "id-z", "ssh.hostKey"}},
		"files not written":  {machine: func() *machine { m := bareMachine(); m.fail, m.text = "write files", "disk full"; return m }(), partial: true, says: []string{"host a", "write files", "disk full"}},
		"packages not found": {machine: func() *machine { m := bareMachine(); m.fail, m.text = "spine-packages", "E: no package"; return m }(), says: nil, partial: true},
		"no effect":          {machine: bareMachine(), partial: true, says: []string{"host a", "still not as asked", `units["containerd.service"] is "missing", expected "enabled, active"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := test.machine.host()
			h.LockedBy = test.locked
			state, err := (&Host{Dialer: remotetest.New(map[string]*remotetest.Host{"a": h})}).apply(t.Context(), in, test.earlier, quiet)
			var partial infer.ResourceInitFailedError
			text := ""
			if err != nil {
				text = err.Error()
			}
			if errors.As(err, &partial) {
				text = strings.Join(partial.Reasons, "\n")
			}
			if (len(partial.Reasons) > 0) != test.partial || err == nil {
				t.Fatalf("got %v, partial should be %v", err, test.partial)
			}
			if test.partial && (state.Name != "a" || state.Files == nil || state.Facts.MachineID == "") {
				t.Errorf("state is not recorded: %+v", state)
			}
			for _, part := range test.says {
				if !strings.Contains(text, part) {
					t.Errorf("error does not say %q:\n%s", part, text)
				}
			}
		})
	}
}

func TestApplyInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := bareMachine()
	m.fail, m.cancel = "write files", cancel
	_, err := (&Host{Dialer: m.dialer()}).apply(ctx, goodArgs(), HostState{}, quiet)
	var partial infer.ResourceInitFailedError
	if !errors.As(err, &partial) || !strings.Contains(partial.Reasons[0], "interrupted before or while writing files") {
		t.Errorf("got %v", err)
	}
}
