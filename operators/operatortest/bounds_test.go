// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/operators/manifests"
)

// Every field of every custom resource is bounded, described, and (in the specification)
// described by its JSON name.
func TestEveryFieldIsBounded(t *testing.T) {
	entries, err := manifests.FS.ReadDir("crds")
	if err != nil || len(entries) == 0 {
		t.Fatalf("no custom resources: %v", err)
	}
	for _, e := range entries {
		text, err := manifests.FS.ReadFile("crds/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct{ OpenAPIV3Schema map[string]any }
				}
			}
		}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		for _, v := range crd.Spec.Versions {
			for _, root := range []string{"spec", "status"} {
				properties := v.Schema.OpenAPIV3Schema["properties"].(map[string]any)
				schema, ok := properties[root].(map[string]any)
				if !ok {
					if root == "spec" {
						t.Errorf("%s has no spec", crd.Spec.Names.Kind)
					}
					continue
				}
				for _, problem := range unbounded(schema, root) {
					t.Errorf("%s: %s", crd.Spec.Names.Kind, problem)
				}
			}
		}
	}
}

// unbounded lists the fields at or below path whose values have no bound.
func unbounded(schema map[string]any, path string) []string {
	var out []string
	missing := func(keys ...string) {
		for _, k := range keys {
			if _, ok := schema[k]; !ok {
				out = append(out, path+" has no "+k)
			}
		}
	}
	_, enum := schema["enum"]
	_, eitherWay := schema["x-kubernetes-int-or-string"]
	switch kind := schema["type"]; {
	case enum:
	case eitherWay:
		missing("maxLength")
	case kind == "string":
		if schema["format"] != "date-time" {
			missing("maxLength")
		}
	case kind == "integer":
		missing("minimum")
		// Counts have no largest value.
		if strings.HasPrefix(path, "spec") && !strings.HasSuffix(path, "observedGeneration") {
			missing("maximum")
		}
	case kind == "boolean":
	case kind == "array":
		missing("maxItems")
		out = append(out, unbounded(schema["items"].(map[string]any), path+"[]")...)
	case kind == "object":
		if values, ok := schema["additionalProperties"].(map[string]any); ok {
			missing("maxProperties")
			out = append(out, unbounded(values, path+"{}")...)
		}
		properties, _ := schema["properties"].(map[string]any)
		if len(properties) == 0 && schema["additionalProperties"] == nil {
			out = append(out, path+" accepts anything")
		}
		names := make([]string, 0, len(properties))
		for name := range properties {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			child := properties[name].(map[string]any)
			at := path + "." + name
			if d, _ := child["description"].(string); d == "" {
				out = append(out, at+" has no description")
			}
			out = append(out, unbounded(child, at)...)
		}
	default:
		out = append(out, fmt.Sprintf("%s has type %v", path, kind))
	}
	return out
}

// The test above must find what it is for.
func TestUnboundedIsFound(t *testing.T) {
	schema := map[string]any{"type": "object", "properties": map[string]any{
		"a": map[string]any{"type": "string", "description": "a"},
		"b": map[string]any{"type": "array", "items": map[string]any{"type": "integer", "minimum": 1}, "description": "b"},
		"c": map[string]any{"type": "object", "description": "c"},
	}}
	got := strings.Join(unbounded(schema, "spec"), "; ")
	want := "spec.a has no maxLength; spec.b has no maxItems; spec.b[] has no maximum; spec.c accepts anything"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
