// SPDX-License-Identifier: Apache-2.0

package naming

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	long := strings.Repeat("x", 60)
	cases := map[string]struct {
		parts []string
		want  string
	}{
		"alone":   {nil, "local"},
		"parts":   {[]string{"host", "a"}, "local-host-a"},
		"longest": {[]string{long[:57]}, "local-" + long[:57]},
		"cut":     {[]string{long, "a"}, "local-" + long[:48] + "-"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := New("local").Name(c.parts...)
			if len(got) > MaxLength || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s (%d), want %s", got, len(got), c.want)
			}
			if name != "cut" && got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestCutNamesDiffer(t *testing.T) {
	long := strings.Repeat("x", 70)
	if a, b := New("local").Name(long, "a"), New("local").Name(long, "b"); a == b {
		t.Errorf("both are %s", a)
	}
}
