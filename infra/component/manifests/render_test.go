// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"strings"
	"testing"
	"testing/fstest"

	"spine.nhs.uk/controlplane/infra/component"
)

func render(text string) (Set, error) {
	files := fstest.MapFS{"x.yaml": {Data: []byte(text)}}
	return Render("x", "kube-system", files, []string{"x.yaml"}, Inputs{
		Images: component.Images{"a:1": "r/a:1@sha256:0"},
		Labels: map[string]string{"owner": "us"},
		Values: struct{}{},
	})
}

func TestRender(t *testing.T) {
	set, err := render(`
# a comment alone is no object
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: n, labels: {own: kept, owner: overwritten}}
data: {image: '{{image "a"}}'}
---
apiVersion: v1
kind: Namespace
metadata: {name: n}
`)
	if err != nil {
		t.Fatal(err)
	}
	config, ok := set.Objects["v1/ConfigMap/n/c"].(map[string]any)
	if _, namespace := set.Objects["v1/Namespace/n"]; !ok || !namespace || len(set.Objects) != 2 {
		t.Fatalf("objects are %v", set.Objects)
	}
	if got := config["data"].(map[string]any)["image"]; got != "r/a:1@sha256:0" {
		t.Errorf("image is %v", got)
	}
	labels := config["metadata"].(map[string]any)["labels"].(map[string]any)
	if labels["own"] != "kept" || labels["owner"] != "us" {
		t.Errorf("labels are %v", labels)
	}
}

func TestRenderErrors(t *testing.T) {
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"# nothing", "there are no objects in x.yaml"},
		"no name":         {"apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "lacks apiVersion, kind or metadata.name"},
		"no metadata":     {"apiVersion: v1\nkind: ConfigMap\n", "lacks apiVersion, kind or metadata.name"},
		"twice":           {object + "---\n" + object, "v1/ConfigMap/c is there twice"},
		"unknown image":   {object + "data: {x: '{{image \"b\"}}'}\n", "image b is not one of the site's: a:1"},
		"unknown value":   {object + "data: {x: '{{.Nope}}'}\n", "Nope"},
		"not YAML":        {"a: b: c", "x.yaml"},
		"a list":          {"- a\n", "x.yaml"},
		"not of JSON":     {object + "data: {x: .inf}\n", "v1/ConfigMap/c"},
		"broken template": {"{{", "x.yaml"},
	} {
		if _, err := render(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := Render("x", "n", fstest.MapFS{}, []string{"x.yaml"}, Inputs{}); err == nil || !strings.Contains(err.Error(), "manifests of x: open x.yaml") {
		t.Errorf("missing file: %v", err)
	}
}
