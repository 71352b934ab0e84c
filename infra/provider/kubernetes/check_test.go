// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestCheckReportsEveryBadInputAtOnce(t *testing.T) {
	in := value(map[string]any{
		"name": "Dns", "kubeconfig": "clusters: [", "waitSeconds": -1, "colour": "red",
		"objects": map[string]any{
			"v1/ConfigMap/kube-system/b": configMap("a", nil),
			"v1/ConfigMap/x": map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"},
			},
			"v1/Namespace/n/n": map[string]any{
				"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "n", "namespace": "n"},
			},
			"empty": map[string]any{"metadata": map[string]any{"uid": "1"}},
			"text":  "kind: ConfigMap",
		},
	}).AsMap()
	var got []string
	for _, f := range check(t, in).Failures {
		got = append(got, f.Property+": "+f.Reason)
	}
	slices.Sort(got)
	want := []string{
		`colour: unknown property: the properties are name, namespace, kubeconfig, objects, waitSeconds`,
		`kubeconfig: is not a usable kubeconfig: it needs a current context with a cluster and a user`,
		`name: "Dns" is not 1 to 50 characters of a-z, 0-9 and '-', starting and ending with a letter or digit`,
		`namespace: is required: a namespace: 1 to 63 characters of a-z, 0-9 and '-'`,
		`objects["empty"].apiVersion: expected a non-empty string`,
		`objects["empty"].kind: expected a non-empty string`,
		`objects["empty"].metadata.name: expected a non-empty string`,
		`objects["empty"].metadata.uid: belongs to the API server: remove it`,
		`objects["text"]: expected a Kubernetes object with apiVersion, kind and metadata`,
		`objects["v1/ConfigMap/kube-system/b"]: the key does not match the object: expected "v1/ConfigMap/kube-system/a"`,
		`objects["v1/ConfigMap/x"].metadata.namespace: is required for a ConfigMap`,
		`objects["v1/Namespace/n/n"].metadata.namespace: a Namespace lives outside namespaces: remove it`,
		`waitSeconds: -1 is out of range: 0 (do not wait) to 3600`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCheckSingleObjects(t *testing.T) {
	meta := map[string]any{"name": "x", "namespace": "n"}
	tests := map[string]struct {
		key    string
		object any
		want   string // empty: accepted
	}{
		"grouped":        {"apps/v1/Deployment/n/x", map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta}, ""},
		"cluster-scoped": {"storage.k8s.io/v1/StorageClass/x", map[string]any{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": map[string]any{"name": "x"}}, ""},
		"custom":         {"example.org/v1/Thing/x", map[string]any{"apiVersion": "example.org/v1", "kind": "Thing", "metadata": map[string]any{"name": "x"}}, ""},
		"unknown object": {"whatever", property.New(property.Computed), ""},
		"unknown name":   {"whatever", map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": property.New(property.Computed)}}, ""},
		"secret name":    {"v1/Pod/n/x", map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": property.New("x").WithSecret(true), "namespace": "n"}}, ""},
		"bad version":    {"a/b/c/Pod/n/x", map[string]any{"apiVersion": "a/b/c", "kind": "Pod", "metadata": meta}, "not an API version"},
		"list":           {"v1/List", map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}, "metadata": map[string]any{"name": "x"}}, "is a list"},
		"generated name": {"v1/Pod/n/x", map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "x", "namespace": "n", "generateName": "x-"}}, "belongs to the API server"},
		"no metadata":    {"v1/Pod/n/x", map[string]any{"apiVersion": "v1", "kind": "Pod"}, "is required, with a name"},
		"number as name": {"v1/Pod/n/1", map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": 1, "namespace": "n"}}, "expected a non-empty string"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			failures := check(t, inputs(map[string]any{tt.key: tt.object})).Failures
			switch {
			case tt.want == "" && len(failures) > 0:
				t.Errorf("refused: %v", failures)
			case tt.want != "" && (len(failures) != 1 || !strings.Contains(failures[0].Reason, tt.want)):
				t.Errorf("got %v, want one failure with %q", failures, tt.want)
			}
		})
	}
}

func TestCheckRefusesOneObjectUnderTwoVersions(t *testing.T) {
	object := func(version string) map[string]any {
		return map[string]any{"apiVersion": version, "kind": "Deployment", "metadata": map[string]any{"name": "x", "namespace": "n"}}
	}
	failures := check(t, inputs(map[string]any{
		"apps/v1/Deployment/n/x": object("apps/v1"), "apps/v1beta1/Deployment/n/x": object("apps/v1beta1"),
	})).Failures
	if len(failures) != 1 || !strings.Contains(failures[0].Reason, `same object as objects["apps/v1/Deployment/n/x"]`) {
		t.Errorf("got %v", failures)
	}
}

// Marks four and more levels down are what the inferring decoder mixes up (see the
// package's comment), in an order that changes from run to run.
func TestCheckKeepsDeepSecretsAndEmptyMaps(t *testing.T) {
	volumes, env := []any{}, []any{}
	for i := range 8 {
		volumes = append(volumes, map[string]any{"name": fmt.Sprint(i), "emptyDir": map[string]any{}})
		env = append(env, map[string]any{"name": fmt.Sprint(i), "value": property.New("hidden").WithSecret(i%2 == 0)})
	}
	deployment := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "x", "namespace": "n"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"volumes": volumes, "tolerations": []any{map[string]any{"operator": "Exists"}}, "affinity": map[string]any{},
			"containers": []any{map[string]any{"name": "c", "env": env}},
		}}},
	}
	in := inputs(map[string]any{"apps/v1/Deployment/n/x": deployment})
	for range 20 {
		resp := check(t, in)
		if got, want := resp.Inputs.Get("objects"), in.Get("objects"); !got.Equals(want) {
			t.Fatalf("changed:\n%#v\nwant:\n%#v", got, want)
		}
	}
}

func TestCheckMarksSecrets(t *testing.T) {
	secret := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "x", "namespace": "n"},
		"data": map[string]any{"a": "YQ==", "b": "Yg=="}, "stringData": map[string]any{"c": "c"},
	}
	out := check(t, inputs(map[string]any{"v1/Secret/n/x": secret, "v1/ConfigMap/kube-system/y": configMap("y", map[string]any{"k": "v"})})).Inputs
	if !out.Get("kubeconfig").Secret() {
		t.Error("kubeconfig is not secret")
	}
	objects := out.Get("objects").AsMap()
	for _, field := range []string{"data", "stringData"} {
		if !objects.Get("v1/Secret/n/x").AsMap().Get(field).Secret() {
			t.Errorf("%s is not secret", field)
		}
	}
	if objects.Get("v1/ConfigMap/kube-system/y").HasSecrets() {
		t.Error("a ConfigMap became secret")
	}
}
