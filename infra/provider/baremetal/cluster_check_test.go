// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"maps"
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

const clusterURN = resource.URN("urn:pulumi:test::spine::spine:baremetal:Cluster::local")

// clusterServer serves the provider's Cluster the way the engine sees it.
func clusterServer(t *testing.T, dialer remote.Dialer) integration.Server {
	t.Helper()
	prov, err := infer.NewProviderBuilder().WithResources((&Cluster{Dialer: dialer}).Resource()).Build()
	if err != nil {
		t.Fatal(err)
	}
	s, err := integration.NewServer(context.Background(), "spine", semver.MustParse("0.1.0"), integration.WithProvider(prov))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// goodCluster are inputs with every property set; edit changes them by path.
func goodCluster(edit map[string]any) map[string]any {
	m := map[string]any{
		"name": "local", "kubernetesVersion": target, "imageRepository": "10.90.0.1:5000/spine",
		"binaries":                 map[string]any{"url": "https://10.90.0.1:5000/v2/spine/kubernetes-host/blobs/x", "digest": "sha256:" + strings.Repeat("0", 64), "caFile": "/etc/ca.crt"},
		"imageTags":                map[string]any{"etcd": "v3.6.16"},
		"endpoint":                 map[string]any{"name": "api.local.spine.internal", "address": "10.90.0.100", "port": 6443},
		"network":                  map[string]any{"podCIDR": "10.244.0.0/16", "serviceCIDR": "10.96.0.0/16", "dnsDomain": "cluster.local"},
		"hosts":                    []any{hostInput("a", 1), hostInput("b", 2), hostInput("c", 3)},
		"schedulableControlPlanes": true,
		"etcd":                     map[string]any{"heartbeatMs": 100, "electionMs": 1000},
		"timings":                  map[string]any{"nodeMonitorGraceSeconds": 8, "unreachableSeconds": 30, "leaseSeconds": 8},
	}
	for path, value := range edit {
		top, rest, nested := strings.Cut(path, ".")
		if nested {
			m[top].(map[string]any)[rest] = value
			continue
		}
		m[top] = value
	}
	return m
}

func hostInput(name string, n int) map[string]any {
	return map[string]any{"name": name, "address": fmt.Sprintf("10.90.0.%d", 10+n), "role": RoleControlPlane, "machineId": strings.Repeat(fmt.Sprintf("%02x", n), 16),
		"ssh": map[string]any{"hostKey": testHostKey}, "labels": map[string]any{"site": "local", "rack": fmt.Sprintf("r%d", n)}}
}

func with(host map[string]any, key string, value any) map[string]any {
	host = maps.Clone(host)
	host[key] = value
	return host
}

func TestClusterCheck(t *testing.T) {
	abc := []any{hostInput("a", 1), hostInput("b", 2), hostInput("c", 3)}
	unknown := resource.MakeComputed(resource.NewStringProperty(""))
	for _, c := range []struct {
		name     string
		old, new map[string]any
		want     []string // "property: part of the reason"
	}{
		{"good", nil, goodCluster(nil), nil},
		{"unchanged", goodCluster(nil), goodCluster(nil), nil},
		{"machine not known yet", nil, goodCluster(map[string]any{"hosts": []any{with(hostInput("a", 1), "machineId", unknown)}}), nil},
		{"all at once", nil, goodCluster(map[string]any{
			"name": "Local", "kubernetesVersion": "1.36", "binaries.url": "http://x", "binaries.digest": "x", "imageRepository": "https://x",
			"imageTags.etcd": "", "endpoint.address": "api", "endpoint.port": 0, "network.podCIDR": "10.244.0.1/16", "etcd.electionMs": 10, "timings.leaseSeconds": 1,
			"hosts": []any{with(with(hostInput("a", 1), "role", "Master"), "address", "10.90.0"), with(hostInput("a", 2), "machineId", "x")},
		}), []string{"name: ", "kubernetesVersion: malformed", "binaries.url: ", "binaries.digest: ", "imageRepository: ", "imageTags.etcd: ", "endpoint.address: ", "endpoint.port: ",
			"network.podCIDR: ", "etcd.electionMs: ", "timings.leaseSeconds: ", "hosts[0].role: ", "hosts[0].address: ", "hosts[1].name: ", "hosts[1].machineId: "}},
		{"too old", nil, goodCluster(map[string]any{"kubernetesVersion": "v1.30.1"}), []string{"kubernetesVersion: not supported"}},
		{"same address", nil, goodCluster(map[string]any{"hosts": []any{abc[0], with(hostInput("b", 2), "address", "10.90.0.11")}}), []string{"hosts[1].address: already that of hosts[0].address"}},
		{"endpoint is a host", nil, goodCluster(map[string]any{"endpoint.address": "10.90.0.11"}), []string{"endpoint.address: own address of host a"}},
		{"networks overlap", nil, goodCluster(map[string]any{"network.podCIDR": "10.0.0.0/8"}), []string{"network.serviceCIDR: overlaps", "endpoint.address: lies within", "hosts[0].address: lies within", "hosts[1].address: ", "hosts[2].address: "}},
		{"unknown key", nil, goodCluster(map[string]any{"hostz": "x"}), []string{"hostz: Unrecognized"}},
		{"downgrade", goodCluster(map[string]any{"kubernetesVersion": "v1.36.3"}), goodCluster(map[string]any{"kubernetesVersion": "v1.36.2"}), []string{"kubernetesVersion: downgrade"}},
		{"skipped minor", goodCluster(nil), goodCluster(map[string]any{"kubernetesVersion": "v1.38.0"}), []string{"kubernetesVersion: skips a minor"}},
		{"upgrade", goodCluster(map[string]any{"kubernetesVersion": "v1.36.2"}), goodCluster(nil), nil},
		{"immutable", goodCluster(nil), goodCluster(map[string]any{"name": "other", "endpoint.name": "api.x", "network.serviceCIDR": "10.97.0.0/16"}), []string{"name: cannot be changed", "endpoint.name: cannot", "network.serviceCIDR: cannot"}},
		{"moved member", goodCluster(nil), goodCluster(map[string]any{"hosts": []any{with(hostInput("a", 1), "address", "10.90.0.50"), abc[1], abc[2]}}), []string{"hosts[0].address: remove the host in one update"}},
		{"three to one", goodCluster(nil), goodCluster(map[string]any{"hosts": abc[:1]}), []string{"hosts: TooManyRemoved"}},
		{"all replaced", goodCluster(nil), goodCluster(map[string]any{"hosts": []any{hostInput("d", 4), hostInput("e", 5)}}), []string{"hosts: AllReplaced"}},
		{"two replaced", goodCluster(nil), goodCluster(map[string]any{"hosts": []any{abc[0], hostInput("d", 4), hostInput("e", 5)}}), nil},
		{"no control plane", goodCluster(nil), goodCluster(map[string]any{"hosts": []any{with(hostInput("a", 1), "role", RoleWorker)}}), []string{"hosts: none has role"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// No host may be asked: there is none.
			resp, err := clusterServer(t, nil).Check(p.CheckRequest{Urn: clusterURN, State: properties(c.old), Inputs: properties(c.new)})
			if err != nil {
				t.Fatal(err)
			}
			expectFailures(t, resp.Failures, c.want)
		})
	}
}

// expectFailures wants one failure per "property: part of the reason".
func expectFailures(t *testing.T, got []p.CheckFailure, want []string) {
	t.Helper()
	for _, w := range want {
		property, reason, _ := strings.Cut(w, ": ")
		if !slices.ContainsFunc(got, func(f p.CheckFailure) bool { return f.Property == property && strings.Contains(f.Reason, reason) }) {
			t.Errorf("no failure %q", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d failures, expected %d:", len(got), len(want))
		for _, f := range got {
			t.Errorf("  %s: %s", f.Property, f.Reason)
		}
	}
}

// The engine shows "old => new" of members only if Check fills the new in.
func TestCheckFillsInMembers(t *testing.T) {
	resp, err := clusterServer(t, nil).Check(p.CheckRequest{Urn: clusterURN, Inputs: properties(goodCluster(nil))})
	if err != nil {
		t.Fatal(err)
	}
	members := resp.Inputs.Get("members")
	if !members.IsMap() || members.AsMap().Get("b").AsMap().Get("kubeletVersion").AsString() != target {
		t.Errorf("members are %v", members)
	}
}

// A diff names each member and item, and never asks to replace the cluster.
func TestClusterDiff(t *testing.T) {
	server := clusterServer(t, nil)
	check := func(m map[string]any) property.Map {
		resp, err := server.Check(p.CheckRequest{Urn: clusterURN, Inputs: properties(m)})
		if err != nil || len(resp.Failures) > 0 {
			t.Fatal(err, resp.Failures)
		}
		return resp.Inputs
	}
	old := check(goodCluster(map[string]any{"kubernetesVersion": "v1.36.2"}))
	state := old.Set("kubeconfig", property.New("k").WithSecret(true)).Set("caCertificate", property.New("c"))
	for name, c := range map[string]struct {
		edit map[string]any
		want []string
	}{
		"same":    {map[string]any{"kubernetesVersion": "v1.36.2"}, nil},
		"upgrade": {nil, []string{`members["a"].kubeletVersion`, `members["b"].kubeletVersion`, `members["c"].kubeletVersion`}},
		"replace": {map[string]any{"kubernetesVersion": "v1.36.2", "hosts": []any{hostInput("a", 1), hostInput("b", 2), hostInput("d", 4)}}, []string{`members["c"]`, `members["d"]`}},
		"labels and taints": {map[string]any{"kubernetesVersion": "v1.36.2", "schedulableControlPlanes": false, "hosts": []any{with(hostInput("a", 1), "labels", map[string]any{"site": "local", "rack": "r9"}), hostInput("b", 2), hostInput("c", 3)}},
			[]string{`members["a"].labels["topology.kubernetes.io/zone"]`, `members["a"].schedulable`, `members["b"].schedulable`, `members["c"].schedulable`}},
		"etcd timing": {map[string]any{"kubernetesVersion": "v1.36.2", "etcd.electionMs": 2000}, []string{`members["a"].configuration`, `members["b"].configuration`, `members["c"].configuration`}},
		// Another engineer's key file is no change of the cluster.
		"identity file": {map[string]any{"kubernetesVersion": "v1.36.2", "hosts": []any{with(hostInput("a", 1), "ssh", map[string]any{"hostKey": testHostKey, "identityFile": "~/k"}), hostInput("b", 2), hostInput("c", 3)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := server.Diff(p.DiffRequest{Urn: clusterURN, ID: "local", State: state, OldInputs: old, Inputs: check(goodCluster(c.edit))})
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Sorted(maps.Keys(resp.DetailedDiff))
			if !slices.Equal(got, c.want) || resp.HasChanges != (len(c.want) > 0) {
				t.Errorf("diff %v, expected %v", got, c.want)
			}
			for key, d := range resp.DetailedDiff {
				if strings.Contains(string(d.Kind), "replace") {
					t.Errorf("%s replaces the cluster", key)
				}
			}
		})
	}
}

// A preview that changes members keeps the kubeconfig known and secret, so that
// it can go on to what is in the cluster.
func TestPreviewKnowsTheKubeconfig(t *testing.T) {
	site := newSite("a", "b", "c", "d")
	server := clusterServer(t, site.dialer())
	checked := func(hosts ...any) property.Map {
		resp, err := server.Check(p.CheckRequest{Urn: clusterURN, Inputs: properties(goodCluster(map[string]any{"hosts": hosts}))})
		if err != nil || len(resp.Failures) > 0 {
			t.Fatal(err, resp.Failures)
		}
		return resp.Inputs
	}
	old := checked(hostInput("a", 1), hostInput("b", 2), hostInput("c", 3))
	created, err := server.Create(p.CreateRequest{Urn: clusterURN, Properties: old})
	if err != nil {
		t.Fatal(err)
	}
	site.changes = 0
	news := checked(hostInput("a", 1), hostInput("b", 2), hostInput("d", 4))
	preview, err := server.Update(p.UpdateRequest{Urn: clusterURN, ID: created.ID, State: created.Properties, OldInputs: old, Inputs: news, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if k := preview.Properties.Get("kubeconfig"); !k.IsString() || !k.Secret() || k.AsString() == "" {
		t.Errorf("kubeconfig in preview: computed %t, secret %t", k.IsComputed(), k.Secret())
	}
	if site.changes > 0 {
		t.Errorf("the preview ran %d scripts that change something", site.changes)
	}
	if m := preview.Properties.Get("members").AsMap(); m.Get("d").IsNull() || !m.Get("c").IsNull() {
		t.Errorf("members in preview: %v", m)
	}
}
