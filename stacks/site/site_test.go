// SPDX-License-Identifier: Apache-2.0

package site

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"
)

func parentOf(r pulumi.MockResourceArgs) string {
	p := urn.URN(r.RegisterRPC.GetParent())
	if p == "" {
		return ""
	}
	return string(p.Type()) + " " + p.Name()
}

func TestLocal(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"spine:baremetal:preflight", "spine:baremetal:resolveImages"}; !slices.Equal(e.calls, want) {
		t.Errorf("calls are %v, want %v", e.calls, want)
	}
	parents := map[string]string{}
	var lines []string
	for _, r := range e.resources {
		self := r.TypeToken + " " + r.Name
		if _, twice := parents[self]; twice {
			t.Errorf("%s is registered twice", self)
		}
		parents[self] = parentOf(r)
		lines = append(lines, self+" < "+parents[self])
		for _, key := range slices.Sorted(maps.Keys(objectsOf(r))) {
			lines = append(lines, self+" : "+key)
		}
	}
	slices.Sort(lines)
	golden.Assert(t, strings.Join(lines, "\n")+"\n", "local.resources")

	for self := range parents {
		up := self
		for range 10 {
			if next, ok := parents[up]; ok && next != "" {
				up = next
			}
		}
		if !strings.HasPrefix(up, "pulumi:pulumi:Stack ") && !strings.HasPrefix(self, "pulumi:pulumi:Stack ") {
			t.Errorf("%s does not descend from the stack, but from %s", self, up)
		}
		if strings.HasPrefix(self, "spine:") && !strings.HasPrefix(self, "spine:component:") && !strings.HasPrefix(parents[self], "spine:component:") {
			t.Errorf("%s is not in a component", self)
		}
	}
	for _, r := range e.resources {
		check(t, r)
	}
}

func objectsOf(r pulumi.MockResourceArgs) map[string]resource.PropertyValue {
	objects := map[string]resource.PropertyValue{}
	if v, ok := r.Inputs["objects"]; ok {
		for k, o := range v.ObjectValue() {
			if o.IsSecret() {
				o = o.SecretValue().Element
			}
			objects[string(k)] = o
		}
	}
	return objects
}

// check holds for every resource of every site.
func check(t *testing.T, r pulumi.MockResourceArgs) {
	t.Helper()
	if r.Custom && strings.HasPrefix(r.TypeToken, "spine:") && !strings.Contains(r.Provider, "pulumi:providers:spine::local") {
		t.Errorf("%s %s has provider %q, not the site's own", r.TypeToken, r.Name, r.Provider)
	}
	if r.TypeToken == "spine:kubernetes:Manifests" {
		for key, o := range r.Inputs["objects"].ObjectValue() {
			if secret := strings.HasPrefix(string(key), "v1/Secret/"); secret != o.IsSecret() {
				t.Errorf("%s of %s: is a Secret: %t, kept secret: %t", key, r.Name, secret, o.IsSecret())
			}
		}
		if !r.Inputs["kubeconfig"].IsSecret() {
			t.Errorf("kubeconfig of %s is not secret", r.Name)
		}
		// Services must be asked whether they may go: they hold other people's work.
		if asked := strings.HasSuffix(r.Name, "-services"); asked != (r.RegisterRPC.GetDeletedWith() == "") {
			t.Errorf("%s is deleted with the cluster, without a question: %t", r.Name, !asked)
		}
	}
	for key, o := range objectsOf(r) {
		labels := o.ObjectValue()["metadata"].ObjectValue()["labels"].ObjectValue()
		for _, want := range []resource.PropertyKey{"spine.nhs.uk/environment", "spine.nhs.uk/owner", "app.kubernetes.io/managed-by"} {
			if !labels[want].IsString() {
				t.Errorf("%s in %s lacks the label %s", key, r.Name, want)
			}
		}
	}
	walk(fmt.Sprintf("%s %s", r.TypeToken, r.Name), resource.NewObjectProperty(r.Inputs), func(at, s string) {
		image := strings.Contains(s, ":5000/spine/") && !strings.HasPrefix(s, "https://")
		if image && !strings.Contains(s, "@sha256:") && !strings.HasSuffix(at, ".imageRepository") {
			t.Errorf("%s: image without digest: %s", at, s)
		}
	})
}

func walk(at string, v resource.PropertyValue, see func(at, s string)) {
	switch {
	case v.IsSecret():
		walk(at, v.SecretValue().Element, see)
	case v.IsString():
		see(at, v.StringValue())
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			walk(at+"[]", e, see)
		}
	case v.IsObject():
		for k, e := range v.ObjectValue() {
			walk(at+"."+string(k), e, see)
		}
	}
}

func TestClusterKnowsMachinesFromPreflight(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(e.resources, func(r pulumi.MockResourceArgs) bool { return r.TypeToken == "spine:baremetal:Cluster" })
	var ids []string
	for _, h := range e.resources[i].Inputs["hosts"].ArrayValue() {
		ids = append(ids, h.ObjectValue()["machineId"].StringValue())
	}
	if !slices.Equal(ids, []string{"id-a", "id-b", "id-c"}) {
		t.Errorf("machine IDs are %v", ids)
	}
	if n := len(e.resources[i].RegisterRPC.GetDependencies()); n != 3 {
		t.Errorf("the cluster depends on %d resources, want its 3 hosts", n)
	}
}

func TestOfflineContactsNothing(t *testing.T) {
	rack(t)
	t.Setenv(offlineVariable, "1")
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	if len(e.calls) > 0 {
		t.Errorf("called %v", e.calls)
	}
	for _, r := range e.resources {
		check(t, r)
	}
}

func TestMistakesRegisterNothing(t *testing.T) {
	cases := map[string]struct {
		environment func(t *testing.T) []byte
		rack        bool
		want        []string
	}{
		"none": {func(*testing.T) []byte { return nil }, true, []string{"spine:environment is missing"}},
		"two at once": {func(t *testing.T) []byte {
			return local(t, func(env map[string]any) {
				env["hots"] = 1
				env["hosts"].([]any)[1].(map[string]any)["address"] = "10.90.0.11"
			})
		}, true, []string{"2 problems", `did you mean "hosts"`, "hosts[1].address"}},
		"no rack": {func(t *testing.T) []byte { return local(t, nil) }, false,
			[]string{"7 problems", "ssh.knownHostsFile", "registry.caFile", "backups.credentialsFile", "backups.caFile", "booking.tokens.keysFile", "no such file or directory"}},
		"no catalogue": {func(t *testing.T) []byte {
			return local(t, func(env map[string]any) {
				env["messaging"].(map[string]any)["catalogueFile"] = "environments/gone.yaml"
			})
		}, true, []string{"1 problem", "messaging.catalogueFile", "environments/gone.yaml"}},
		"unknown host": {func(t *testing.T) []byte {
			return local(t, func(env map[string]any) { env["hosts"].([]any)[2].(map[string]any)["address"] = "10.90.0.14" })
		}, true, []string{"1 problem", "hosts[2].hostKey", "10.90.0.14"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SPINE_HOME", t.TempDir())
			if c.rack {
				rack(t)
			}
			e := &engine{}
			err := run(t, e, c.environment(t))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing from:\n%v", want, err)
				}
			}
			if n := len(e.resources); n > 1 {
				t.Errorf("%d resources were registered besides the stack", n-1)
			}
			if len(e.calls) > 0 {
				t.Errorf("called %v", e.calls)
			}
		})
	}
}

func TestUnfitHostsPlanNothing(t *testing.T) {
	rack(t)
	e := &engine{preflight: errors.New("host b (10.90.0.12): memory is 2048 MiB")}
	err := run(t, e, local(t, nil))
	if err == nil || !strings.Contains(err.Error(), "host b (10.90.0.12)") {
		t.Fatalf("got %v", err)
	}
	for _, r := range e.resources {
		if strings.HasPrefix(r.TypeToken, "spine:baremetal:") || strings.HasPrefix(r.TypeToken, "spine:kubernetes:") {
			t.Errorf("%s %s was planned", r.TypeToken, r.Name)
		}
	}
}

func TestCustomNetwork(t *testing.T) {
	rack(t)
	project := t.TempDir()
	manifest := "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: cni, namespace: kube-system}\nspec:\n  template:\n    spec:\n      containers: [{name: cni, image: '{{image \"mycni:v1\"}}', args: ['{{.PodCIDR}}']}]\n"
	if err := os.WriteFile(filepath.Join(project, "cni.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := local(t, func(env map[string]any) {
		delete(env, "messaging")
		delete(env, "booking")
		delete(env, "backups")
		env["network"] = map[string]any{"cni": "custom", "manifests": []any{"cni.yaml"}, "images": []any{"mycni:v1"}}
	})
	e := &engine{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return Build(ctx, environment) },
		pulumi.WithMocks("spine", "local", e), func(info *pulumi.RunInfo) { info.RootDirectory = project })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.resources {
		check(t, r)
		if r.Name != "local-network" {
			continue
		}
		if keys := slices.Collect(maps.Keys(objectsOf(r))); !slices.Equal(keys, []string{"apps/v1/DaemonSet/kube-system/cni"}) {
			t.Errorf("the network holds %v", keys)
		}
		return
	}
	t.Error("there is no network")
}

// Nothing that holds what patients rely on is removed by an update, or goes with the claim of a volume.
func TestLiveIsProtected(t *testing.T) {
	for class, live := range map[string]bool{"Live": true, "Recovery": true, "Development": false} {
		t.Run(class, func(t *testing.T) {
			rack(t)
			e := &engine{}
			if err := run(t, e, local(t, func(env map[string]any) { env["class"] = class })); err != nil {
				t.Fatal(err)
			}
			kept, protected := "Delete", 0
			for _, r := range e.resources {
				if r.TypeToken == "spine:baremetal:Host" || r.TypeToken == "spine:baremetal:Cluster" {
					if r.RegisterRPC.GetProtect() != live {
						t.Errorf("%s %s: protected is %t", r.TypeToken, r.Name, !live)
					}
					protected++
				}
				if o, ok := objectsOf(r)["storage.k8s.io/v1/StorageClass/local-path"]; ok {
					kept = o.ObjectValue()["reclaimPolicy"].StringValue()
				}
			}
			if protected != 4 || (kept == "Retain") != live {
				t.Errorf("%d hosts and clusters; volumes: %s", protected, kept)
			}
		})
	}
}
