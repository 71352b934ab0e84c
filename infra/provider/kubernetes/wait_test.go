// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// What no controller has looked at yet is not ready, whatever kstatus makes of it.
func TestWhatNoControllerHasSeenIsNotReady(t *testing.T) {
	thing := schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Thing"}
	conditions := map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
	for name, c := range map[string]struct {
		apiVersion, kind string
		reports          bool // the kind's definition has conditions
		status           map[string]any
		want             string
	}{
		"daemon set unseen":        {"apps/v1", "DaemonSet", false, map[string]any{"desiredNumberScheduled": int64(0)}, "its controller has not looked at it yet"},
		"daemon set seen":          {"apps/v1", "DaemonSet", false, map[string]any{"observedGeneration": int64(1), "desiredNumberScheduled": int64(0), "currentNumberScheduled": int64(0), "updatedNumberScheduled": int64(0), "numberAvailable": int64(0), "numberReady": int64(0)}, ""},
		"custom resource unseen":   {"example.org/v1", "Thing", true, nil, "its controller has not looked at it yet"},
		"custom resource seen":     {"example.org/v1", "Thing", true, conditions, ""},
		"a kind without any words": {"example.org/v1", "Thing", false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			live := &unstructured.Unstructured{Object: map[string]any{"apiVersion": c.apiVersion, "kind": c.kind,
				"metadata": map[string]any{"name": "x", "namespace": "n", "generation": int64(1)}}}
			if c.status != nil {
				live.Object["status"] = c.status
			}
			mapper := meta.NewDefaultRESTMapper(nil)
			mapper.Add(thing, meta.RESTScopeNamespace)
			cl := newCluster("", fake.NewClientBuilder().WithRESTMapper(mapper).WithObjects(live, definition(c.reports)).Build(), time.Millisecond)
			if got := cl.readiness(t.Context(), live); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func definition(reports bool) *unstructured.Unstructured {
	status := map[string]any{"type": "object", "properties": map[string]any{}}
	if reports {
		status["properties"] = map[string]any{"conditions": map[string]any{"type": "array"}}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "things.example.org"},
		"spec": map[string]any{"versions": []any{map[string]any{"name": "v1", "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{"status": status}}}}}},
	}}
}
