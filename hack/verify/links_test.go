// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	readme := strings.Join([]string{
		"# The rack", // 1
		"[a](hack/rack/README.md) and [b](hack/rack/), ![c](<hack/pic one.png>) ![e](<hack/pic two.png>) [d](/hack)",
		"[web](https://example.org/x) [mail](mailto:a@b) [here](#the-rack) [again](#the-rack-1)",
		"```", "[in code](nowhere.md)", "```", // 4 to 6
		"`[inline](nowhere.md)` but [gone](nowhere.md \"title\")", // 7
		"[out](../other/README.md) [deep](hack/rack/README.md#use--care) [bad](hack/rack/README.md#nope)",
		"[ref]: hack/missing.md",
		"## The rack",
		"[self](#nothing)", // 11
	}, "\n")
	expect(t, links, map[string]string{
		"README.md":           readme,
		"hack/rack/README.md": "## Use & care\n[up](../../README.md) [sideways](../verify) <a name=\"x\"></a>[x](#x)\n",
		"hack/pic one.png":    "",
		"hack/verify/main.go": "// [not a page](nowhere.md)",
	},
		"README.md:2: link hack/pic two.png: no such file or folder",
		"README.md:7: link nowhere.md: no such file or folder",
		"README.md:8: link ../other/README.md: leads out of the repository",
		"README.md:8: link hack/rack/README.md#nope: no such heading in hack/rack/README.md",
		"README.md:9: link hack/missing.md: no such file or folder",
		"README.md:11: link #nothing: no such heading in README.md",
	)
}

func TestLinksWithSpaces(t *testing.T) {
	expect(t, links, map[string]string{
		"a.md": "[x](b%20c.md) [y](b%zz.md)", "b c.md": "",
	}, "a.md:1: link b%zz.md: is not a valid path")
}

func FuzzParsePage(f *testing.F) {
	f.Add("# a\n[b](c.md#d)\n```\n~~~\n")
	f.Add("[x]: <y>")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, l := range parsePage(text).links {
			if l.target == "" || l.line < 1 || l.line > lines {
				t.Errorf("link %q on line %d of %d", l.target, l.line, lines)
			}
			broken("a/b.md", l.target, map[string]bool{}, nil)
		}
	})
}
