// SPDX-License-Identifier: Apache-2.0

package component

import "testing"

func TestRef(t *testing.T) {
	images := Images{"a:1": "r/a:1@x", "b:1": "r/b:1@x", "b:2": "r/b:2@x"}
	cases := map[string]struct {
		want  string
		fails bool
	}{
		"a":   {want: "r/a:1@x"},
		"a:1": {want: "r/a:1@x"},
		"b:2": {want: "r/b:2@x"},
		"b":   {fails: true},
		"c":   {fails: true},
		"a:2": {fails: true},
	}
	for image, c := range cases {
		got, err := images.Ref(image)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %q, %v", image, got, err)
		}
	}
}
