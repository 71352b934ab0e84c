// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"k8s.io/apimachinery/pkg/api/equality"
)

// contains says whether live has every field that desired has, with the same value. Lists
// must match element by element.
func contains(live, desired any) bool {
	switch d := desired.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return live == nil && len(d) == 0 // the server drops some empty objects
		}
		for key, value := range d {
			if !contains(l[key], value) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(d) {
			return false
		}
		for i := range d {
			if !contains(l[i], d[i]) {
				return false
			}
		}
		return true
	}
	return equality.Semantic.DeepEqual(live, desired)
}

// content is an object without what changes by itself.
func content(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for key, value := range object {
		if key != "status" && key != "metadata" {
			out[key] = value
		}
	}
	if m, ok := object["metadata"].(map[string]any); ok {
		for _, key := range []string{"labels", "annotations", "ownerReferences"} {
			out["metadata."+key] = m[key]
		}
	}
	return out
}

// dropNulls removes null values, which typed objects leave in their unset fields and
// which server-side apply would take for a wish to remove.
func dropNulls(m map[string]any) {
	for key, value := range m {
		switch v := value.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			dropNulls(v)
		case []any:
			for _, item := range v {
				if inner, ok := item.(map[string]any); ok {
					dropNulls(inner)
				}
			}
		}
	}
}
