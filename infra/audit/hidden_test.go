// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"testing"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// What is hidden before and after looks the same: only the provider knows that it differs, and where.
func TestHiddenChanges(t *testing.T) {
	const key = "v1/Secret/n/x"
	kept := map[string]any{"metadata": map[string]any{"name": "x"}}
	inside := map[string]any{"metadata": map[string]any{"name": "x"}, "stringData": map[string]any{"a.yaml": policy.Secret{}}}
	tests := map[string]struct {
		objects any
		at      string
		class   Class
		level   Level
		words   string
	}{
		"a value":          {map[string]any{key: inside}, `objects["` + key + `"].stringData["a.yaml"]`, Identity, Medium, "its contents change"},
		"a whole object":   {map[string]any{key: policy.Secret{}}, `objects["` + key + `"]`, Identity, Medium, "its contents change"},
		"within a hidden":  {map[string]any{key: policy.Secret{}}, `objects["` + key + `"].stringData["a.yaml"]`, Identity, Medium, "its contents change"},
		"all objects":      {policy.Secret{}, "objects", Other, None, "objects: another secret"},
		"one of all":       {policy.Secret{}, `objects["` + key + `"].stringData["a.yaml"]`, Identity, Medium, "its contents change"},
		"beside an object": {map[string]any{key: kept, "v1/ConfigMap/n/y": policy.Secret{}}, `objects["v1/ConfigMap/n/y"]`, Other, None, "another secret"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := engine.Step{Custom: true, Diff: map[string]engine.Kind{test.at: {Change: "update", Input: true}}}
			s.URN, s.Type, s.Name, s.Operation = "urn:pulumi:dev::spine::spine:kubernetes:Manifests::x", "spine:kubernetes:Manifests", "x", policy.Update
			s.OldInputs, s.Inputs = map[string]any{"objects": test.objects}, map[string]any{"objects": test.objects}
			says(t, Build([]engine.Step{s}, cost.Published(), NewSecrets(nil)), test.class, test.level, test.words)
		})
	}
}
