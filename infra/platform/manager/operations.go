// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"encoding/json"
	"fmt"
)

// operations is the text of operations.yaml: JSON, which is YAML too.
func (a Args) operations() (string, error) {
	if a.Operations == nil {
		return "{}", nil
	}
	text, err := json.MarshalIndent(a.Operations, "", "  ")
	if err != nil {
		return "", fmt.Errorf("the rules of operations: %w", err)
	}
	return string(text), nil
}

// rules is the ConfigMap that the manager mounts.
func rules(operations string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": namespace, "name": "operations"},
		"data":     map[string]any{"operations.yaml": operations},
	}
}
