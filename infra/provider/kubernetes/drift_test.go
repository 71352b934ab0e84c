// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/ssa"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestChangedFields(t *testing.T) {
	container := func(image string) []any { return []any{map[string]any{"name": "c", "image": image}} }
	live := map[string]any{
		"metadata": map[string]any{"resourceVersion": "1", "generation": int64(1), "labels": map[string]any{"a.b/c": "x"}},
		"spec":     map[string]any{"replicas": int64(1), "containers": container("old"), "same": "same", "args": []any{"a"}},
		"status":   map[string]any{"ready": int64(1)},
	}
	merged := map[string]any{
		"metadata": map[string]any{"resourceVersion": "2", "generation": int64(2), "labels": map[string]any{"a.b/c": "y"}},
		"spec":     map[string]any{"replicas": int64(2), "containers": container("new"), "same": "same", "args": []any{"a", "b"}},
	}
	want := []string{"metadata.labels[a.b/c]", "spec.args", "spec.containers[c].image", "spec.replicas"}
	if got := changedFields(live, merged); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDriftText(t *testing.T) {
	many := strings.Split("a b c d e f g h i j", " ")
	for want, f := range map[string]finding{
		"":        {action: ssa.UnchangedAction},
		"missing": {action: ssa.CreatedAction},
		"changed fields: a, b, c, d, e, f, g, h and 2 more": {action: ssa.ConfiguredAction, fields: many},
		"cannot be compared: webhook says no":               {err: errors.New("webhook says no")},
	} {
		if got := f.driftText(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	absent := finding{err: apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "x")}
	if got := absent.driftText(); got != missingText {
		t.Errorf("an object whose namespace is gone: %q", got)
	}
}

func TestSummarize(t *testing.T) {
	immutable := apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "x",
		field.ErrorList{field.Invalid(field.NewPath("spec", "selector"), "y", "field is immutable")})
	absent := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "n")
	text, err := summarize(map[string]finding{
		"a": {action: ssa.CreatedAction}, "b": {action: ssa.ConfiguredAction, fields: []string{"spec.replicas"}},
		"c": {action: ssa.UnchangedAction}, "d": {err: absent},
	}, 1)
	if want := "dry run: 1 to create, 1 to change, 1 unchanged, 2 not known yet (b: spec.replicas)"; err != nil || text != want {
		t.Errorf("got %q, %v; want %q", text, err, want)
	}
	_, err = summarize(map[string]finding{"a": {err: immutable}, "b": {err: errors.New("forbidden")}}, 0)
	if err == nil || !strings.Contains(err.Error(), "a: Deployment") || !strings.Contains(err.Error(), "delete the object with kubectl") ||
		!strings.Contains(err.Error(), "\nb: forbidden") {
		t.Errorf("every refusal must be told, with its fix; got %v", err)
	}
}
