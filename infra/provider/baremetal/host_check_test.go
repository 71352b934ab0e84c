// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

const (
	testHostKey  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGuGsnP/NPzhnWuATv9aP1dHraTqoi8dScAeUt23h1tL root@a"
	otherHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINRzXjomXhbu4D9ZcYubXQMBnAfYtsUfkNo6Zm7sE6s1 root@a"
	hostURN      = resource.URN("urn:pulumi:test::spine::spine:baremetal:Host::a")
)

// hostServer serves the provider's Host the way the engine sees it.
func hostServer(t *testing.T, dialer remote.Dialer) integration.Server {
	t.Helper()
	prov, err := infer.NewProviderBuilder().WithResources((&Host{Dialer: dialer}).Resource()).
		WithFunctions(infer.Function(&Preflight{Dialer: dialer}), infer.Function(&ResolveImages{})).Build()
	if err != nil {
		t.Fatal(err)
	}
	s, err := integration.NewServer(t.Context(), "spine", semver.MustParse("0.1.0"), integration.WithProvider(prov))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func properties(m map[string]any) property.Map {
	return resource.FromResourcePropertyMap(resource.NewPropertyMapFromMap(m))
}

// goodHost are inputs with every property set.
func goodHost() map[string]any {
	return map[string]any{
		"name": "a", "address": "10.90.0.11",
		"ssh":              map[string]any{"hostKey": testHostKey, "port": 22, "user": "root", "identityFile": "~/.ssh/id"},
		"labels":           map[string]any{"site": "local", "rack": "r1"},
		"requirements":     map[string]any{"cpus": 2, "memoryMiB": 2048, "diskGiB": 10},
		"packages":         []any{"containerd", "keepalived"},
		"sysctls":          map[string]any{"net.ipv4.ip_forward": "1"},
		"kernelModules":    []any{"overlay", "br_netfilter"},
		"containerRuntime": map[string]any{"sandboxImage": "10.90.0.1:5000/spine/pause:3.10@sha256:" + strings.Repeat("0", 64)},
		"registry":         map[string]any{"host": "10.90.0.1:5000", "mirrors": []any{"10.90.0.2:5000"}},
		"hostEntries":      map[string]any{"api.local.spine.internal": "10.90.0.100"},
		"virtualAddresses": []any{map[string]any{"name": "api", "address": "10.90.0.100/24", "interface": "host0", "routerID": 51, "checkURL": "https://127.0.0.1:6443/livez", "majority": true}},
	}
}

func check(t *testing.T, in map[string]any) []string {
	t.Helper()
	resp, err := hostServer(t, nil).Check(p.CheckRequest{Urn: hostURN, Inputs: properties(in)})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range resp.Failures {
		out = append(out, f.Property+": "+f.Reason)
	}
	slices.Sort(out)
	return out
}

func TestCheckAcceptsGoodHost(t *testing.T) {
	if got := check(t, goodHost()); len(got) > 0 {
		t.Errorf("refused: %s", strings.Join(got, "\n"))
	}
}

func TestCheckReportsEverythingAtOnce(t *testing.T) {
	bad := map[string]any{
		"name": "A_1", "address": "10.90.0", "ssh": map[string]any{"hostKey": "rubbish", "port": 70000, "user": "a b"},
		"labels":           map[string]any{"site": "S", "rack": ""},
		"requirements":     map[string]any{"cpus": -1},
		"packages":         []any{"ok", "--force"},
		"sysctls":          map[string]any{"net.ipv4.ip_forward": "1\n2", "x": "1"},
		"kernelModules":    []any{"a;b"},
		"containerRuntime": map[string]any{"sandboxImage": "pause\""},
		"registry":         map[string]any{"host": "https://10.90.0.1:5000/v2", "mirrors": []any{"a/b"}, "ca": "none"},
		"hostEntries":      map[string]any{"api": "nowhere"},
		"virtualAddresses": []any{
			map[string]any{"name": "api", "address": "10.90.0.100", "interface": "host0", "routerID": 0, "priority": 201, "checkURL": "ftp://x", "checkCA": "ca"},
			map[string]any{"name": "api", "address": "10.90.0.9/24", "interface": "a b", "routerID": 5, "checkURL": "http://127.0.0.1/"},
		},
	}
	got := check(t, bad)
	want := []string{
		"address", "containerRuntime.sandboxImage", "hostEntries[\"api\"]", "kernelModules[0]", "labels.rack", "labels.site", "name", "packages[1]",
		"registry.ca", "registry.host", "registry.mirrors[0]", "requirements.cpus", "ssh.hostKey", "ssh.port", "ssh.user",
		"sysctls[\"net.ipv4.ip_forward\"]", "sysctls[\"x\"]",
		"virtualAddresses[0].address", "virtualAddresses[0].checkCA", "virtualAddresses[0].checkURL", "virtualAddresses[0].priority", "virtualAddresses[0].routerID",
		"virtualAddresses[1].interface", "virtualAddresses[1].name",
	}
	var names []string
	for _, f := range got {
		name, _, _ := strings.Cut(f, ": ")
		names = append(names, name)
	}
	if !slices.Equal(names, want) {
		t.Errorf("got failures\n%s\nof %q\nwant %q", strings.Join(got, "\n"), names, want)
	}
}

func TestCheckTypesAndUnknownKeys(t *testing.T) {
	tests := map[string]struct {
		change func(map[string]any)
		want   []string
	}{
		"unknown key":        {func(m map[string]any) { m["hostname"] = "a" }, []string{"hostname"}},
		"unknown nested key": {func(m map[string]any) { m["ssh"].(map[string]any)["key"] = "a" }, []string{"ssh"}},
		"wrong type":         {func(m map[string]any) { m["packages"] = "containerd" }, []string{"packages"}},
		"missing":            {func(m map[string]any) { delete(m, "address") }, []string{"address"}},
		"several":            {func(m map[string]any) { delete(m, "address"); m["packages"] = 1; m["name"] = "A" }, []string{"address", "name", "packages"}},
		"computed":           {func(m map[string]any) { m["units"] = map[string]any{"x.service": "enabled, active"} }, []string{"units"}},
		"own address": {func(m map[string]any) {
			m["virtualAddresses"].([]any)[0].(map[string]any)["address"] = "10.90.0.11/24"
		}, []string{"virtualAddresses[0].address"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := goodHost()
			test.change(in)
			got := check(t, in)
			var names []string
			for _, f := range got {
				name, _, _ := strings.Cut(f, ": ")
				names = append(names, name)
			}
			if fmt.Sprint(names) != fmt.Sprint(test.want) {
				t.Errorf("got %q, want failures of %q", got, test.want)
			}
		})
	}
}

func TestCheckLeavesUnknownValuesAlone(t *testing.T) {
	in := properties(goodHost()).Set("address", property.New(property.Computed)).Set("name", property.New("A"))
	resp, err := hostServer(t, nil).Check(p.CheckRequest{Urn: hostURN, Inputs: in})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Failures) != 1 || resp.Failures[0].Property != "name" {
		t.Errorf("got %+v, want one failure of name", resp.Failures)
	}
}
