// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"testing"
)

func TestNode(t *testing.T) {
	n := Node{Value: map[string]any{
		"a": []any{"x", map[string]any{"b c": true}}, "s": Secret{}, "u": Unknown{}, "n": 1.0,
	}}
	for path, c := range map[string]struct {
		at   Node
		want any
	}{
		`a[1]["b c"]`: {n.At("a", 1, "b c"), true},
		`a[2]`:        {n.At("a", 2), nil},
		`a.b`:         {n.At("a", "b"), nil},
		`n.b`:         {n.At("n", "b"), nil},
		`s.b[0]`:      {n.At("s", "b", 0), Secret{}},
		`u.b`:         {n.At("u", "b"), Unknown{}},
	} {
		if c.at.Value != c.want || c.at.Path.String() != path {
			t.Errorf("%s: got %v at %s", path, c.at.Value, c.at.Path)
		}
	}
	if !n.At("s").Hidden() || !n.At("u").Hidden() || n.At("n").Hidden() || !n.At("x").Missing() {
		t.Error("hidden or missing is wrong")
	}
	if n.At("s").NotTrue() || !n.At("x").NotTrue() || n.At("a", 1, "b c").NotTrue() {
		t.Error("NotTrue is wrong")
	}
	if (Resource{}).Input("a").Value != nil || (Resource{}).Setting("a").Value != nil {
		t.Error("a resource without inputs has some")
	}
}

// TestEach: findings keep their paths, though the walk writes over its own.
func TestEach(t *testing.T) {
	// At the fourth level a walk's paths share their memory.
	deep := []any{[]any{[]any{"u", "v"}}}
	n := Node{Value: map[string]any{"a": []any{"x", []any{"y", "z"}}, "b": map[string]any{"c": "w"}, "deep": deep}}
	var got []string
	var found []Finding
	n.Each(func(n Node) {
		if n.Text() != "" {
			found = append(found, n.Found("is %s", n.Text()))
		}
	})
	for _, f := range found {
		got = append(got, f.Property.String()+" "+f.Message)
	}
	slices.Sort(got)
	if want := []string{"a[0] is x", "a[1][0] is y", "a[1][1] is z", "b.c is w", "deep[0][0][0] is u", "deep[0][0][1] is v"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
