// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"reflect"
	"testing"
)

func TestContains(t *testing.T) {
	live := map[string]any{"a": int64(1), "b": map[string]any{"c": "d", "e": "f"}, "l": []any{map[string]any{"n": "x", "p": int64(2)}}}
	for name, c := range map[string]struct {
		desired map[string]any
		want    bool
	}{
		"the same":          {map[string]any{"a": int64(1), "b": map[string]any{"c": "d", "e": "f"}}, true},
		"less":              {map[string]any{"b": map[string]any{"c": "d"}}, true},
		"less in a list":    {map[string]any{"l": []any{map[string]any{"n": "x"}}}, true},
		"another value":     {map[string]any{"a": int64(2)}, false},
		"another type":      {map[string]any{"a": map[string]any{"b": "c"}}, false},
		"more":              {map[string]any{"z": "y"}, false},
		"a longer list":     {map[string]any{"l": []any{map[string]any{"n": "x"}, map[string]any{"n": "y"}}}, false},
		"a shorter list":    {map[string]any{"l": []any{}}, false},
		"an empty object":   {map[string]any{"z": map[string]any{}}, true},
		"an object missing": {map[string]any{"z": map[string]any{"y": "x"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := contains(live, c.desired); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestDropNulls(t *testing.T) {
	m := map[string]any{"a": nil, "b": map[string]any{"c": nil, "d": "e"}, "l": []any{map[string]any{"f": nil}}, "s": map[string]any{}}
	dropNulls(m)
	want := map[string]any{"b": map[string]any{"d": "e"}, "l": []any{map[string]any{}}, "s": map[string]any{}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %v", m)
	}
}
