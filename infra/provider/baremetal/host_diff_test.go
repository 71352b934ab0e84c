// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"maps"
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// created returns what the engine keeps of a host that was created well.
func created(t *testing.T, in map[string]any) (inputs, state property.Map) {
	t.Helper()
	m := bareMachine()
	s := hostServer(t, m.dialer())
	checked, err := s.Check(p.CheckRequest{Urn: hostURN, Inputs: properties(in)})
	if err != nil || len(checked.Failures) > 0 {
		t.Fatal(err, checked.Failures)
	}
	args := goodArgs()
	args.ContainerRuntime.SandboxImage = in["containerRuntime"].(map[string]any)["sandboxImage"].(string)
	args.Registry.CA = nil
	args.HostEntries = map[string]string{"api.local.spine.internal": "10.90.0.100"}
	args.VirtualAddresses = args.VirtualAddresses[:1]
	m.becomes = &bareMachine().as(args).now
	made, err := s.Create(p.CreateRequest{Urn: hostURN, Properties: checked.Inputs})
	if err != nil {
		t.Fatal(err)
	}
	return checked.Inputs, made.Properties
}

func diff(t *testing.T, old, state, inputs property.Map) p.DiffResponse {
	t.Helper()
	resp, err := hostServer(t, nil).Diff(p.DiffRequest{ID: "a", Urn: hostURN, State: state, OldInputs: old, Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestDiffOfUntouchedHostIsEmpty(t *testing.T) {
	in, state := created(t, goodHost())
	if got := diff(t, in, state, in); got.HasChanges {
		t.Errorf("got %+v", got)
	}
}

func TestDiffNamesWhatChanges(t *testing.T) {
	tests := map[string]struct {
		change  func(map[string]any)
		want    map[string]p.DiffKind
		replace bool
	}{
		"identity file": {change: func(m map[string]any) { m["ssh"].(map[string]any)["identityFile"] = "~/other" }},
		"default port":  {change: func(m map[string]any) { delete(m["ssh"].(map[string]any), "port") }},
		"nothing":       {change: func(m map[string]any) { m["registry"].(map[string]any)["mirrors"] = []any{"10.90.0.2:5000"} }},
		"port":          {change: func(m map[string]any) { m["ssh"].(map[string]any)["port"] = 2222 }, want: map[string]p.DiffKind{"ssh.port": p.Update}},
		"name":          {change: func(m map[string]any) { m["name"] = "b" }, want: map[string]p.DiffKind{"name": p.UpdateReplace, `files["/etc/keepalived/keepalived.conf"]`: p.Update}, replace: true},
		"host key":      {change: func(m map[string]any) { m["ssh"].(map[string]any)["hostKey"] = otherHostKey }, want: map[string]p.DiffKind{"ssh.hostKey": p.UpdateReplace}, replace: true},
		"address":       {change: func(m map[string]any) { m["address"] = "10.90.0.21" }, want: map[string]p.DiffKind{"address": p.Update}},
		"kernel setting": {change: func(m map[string]any) { m["sysctls"] = map[string]any{"vm.swappiness": "1"} }, want: map[string]p.DiffKind{
			"sysctls": p.Update, `sysctlValues["net.ipv4.ip_forward"]`: p.Delete, `sysctlValues["vm.swappiness"]`: p.Add, `files["/etc/sysctl.d/90-spine.conf"]`: p.Update}},
		"no virtual addresses": {change: func(m map[string]any) { delete(m, "virtualAddresses") }, want: map[string]p.DiffKind{
			"virtualAddresses": p.Delete, `units["keepalived.service"]`: p.Delete, `files["/etc/keepalived/keepalived.conf"]`: p.Delete, `files["/etc/keepalived/check-address"]`: p.Delete, `files["/etc/default/keepalived"]`: p.Delete}},
		"another package": {change: func(m map[string]any) { m["packages"] = []any{"containerd", "keepalived", "runc"} }, want: map[string]p.DiffKind{
			"packages": p.Update, `packageVersions["runc"]`: p.Add}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			old, state := created(t, goodHost())
			in := goodHost()
			test.change(in)
			got := diff(t, old, state, properties(in))
			kinds := map[string]p.DiffKind{}
			for k, v := range got.DetailedDiff {
				kinds[k] = v.Kind
			}
			if !maps.Equal(kinds, test.want) {
				t.Errorf("got %v, want %v", kinds, test.want)
			}
			if got.HasChanges != (len(test.want) > 0) || got.DeleteBeforeReplace != test.replace {
				t.Errorf("changes %v, replace %v", got.HasChanges, got.DeleteBeforeReplace)
			}
		})
	}
}

// A refresh records the drift, the next diff names it, and the preview of the
// repair shows what will be.
func TestRefreshShowsDrift(t *testing.T) {
	in, state := created(t, goodHost())
	args := goodArgs()
	m := bareMachine()
	*m = *m.as(args)
	m.now.units[containerdUnit] = "disabled, inactive"
	m.now.sysctls["net.ipv4.ip_forward"] = "0"
	m.now.files[containerdConfig] = "sha256:00"
	s := hostServer(t, m.dialer())
	for k, v := range state.Get("files").AsMap().All {
		if k != containerdConfig {
			m.now.files[k] = v.AsString()
		}
	}
	m.now.etcHosts = withHostsBlock("", renderHostEntries(map[string]string{"api.local.spine.internal": "10.90.0.100"}))
	read, err := s.Read(p.ReadRequest{ID: "a", Urn: hostURN, Properties: state, Inputs: in})
	if err != nil {
		t.Fatal(err)
	}
	got := diff(t, in, read.Properties, in)
	names := slices.Sorted(maps.Keys(got.DetailedDiff))
	want := []string{`files["/etc/containerd/config.toml"]`, `sysctlValues["net.ipv4.ip_forward"]`, `units["containerd.service"]`}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	planned, err := s.Update(p.UpdateRequest{ID: "a", Urn: hostURN, State: read.Properties, Inputs: in, OldInputs: in, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if !planned.Properties.Get("units").Equals(state.Get("units")) || planned.Properties.Get("facts").HasComputed() {
		t.Errorf("preview predicts units %v, facts %v", planned.Properties.Get("units"), planned.Properties.Get("facts"))
	}
}

func TestReadErrors(t *testing.T) {
	in, state := created(t, goodHost())
	_, err := hostServer(t, bareMachine().dialer()).Read(p.ReadRequest{ID: "a", Urn: hostURN})
	if err == nil || !strings.Contains(err.Error(), "cannot be imported") {
		t.Errorf("import: got %v", err)
	}
	m := bareMachine()
	fake := m.dialer()
	fake.Set("a", mismatch())
	_, err = hostServer(t, fake).Read(p.ReadRequest{ID: "a", Urn: hostURN, Properties: state, Inputs: in})
	if err == nil || !strings.Contains(err.Error(), "the machine is no longer there") {
		t.Errorf("another machine: got %v", err)
	}
}
