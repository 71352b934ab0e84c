// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// files builds a tree from paths and their content.
func files(content map[string]string) tree {
	fsys := fstest.MapFS{}
	t := tree{fsys: fsys}
	for p, text := range content {
		fsys[p] = &fstest.MapFile{Data: []byte(text)}
		t.paths = append(t.paths, p)
	}
	slices.Sort(t.paths)
	return t
}

// expect runs a check on a tree and compares its findings, as printed, with want.
func expect(t *testing.T, check func(tree) ([]finding, error), content map[string]string, want ...string) {
	t.Helper()
	found, err := check(files(content))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.String())
	}
	ok := len(got) == len(want)
	for i := range got {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestTopLevel(t *testing.T) {
	expect(t, topLevel, map[string]string{
		"README.md": "", "DEVELOPERS.md": "", "go.mod": "", "Makefile": "", ".ci/run": "", "hack/verify/main.go": "",
		"pkg/a.go": "", "pkg/b.go": "", "main.go": "", "notes.txt": "",
	}, "main.go: does not belong", "notes.txt: does not belong", "pkg: does not belong")
}

func TestGoFiles(t *testing.T) {
	licensed := licenceLine + "\n\npackage x\n"
	lines := func(n int) string { return licenceLine + "\n" + strings.Repeat("//\n", n-1) }
	expect(t, goFiles, map[string]string{
		"a/fine.go": licensed, "a/full.go": lines(500), "a/long.go": lines(501), "a/bare.go": "package x\n",
		"a/late.go": "\n" + licensed, "a/zz_generated.deepcopy.go": "package x\n",
		"infra/provider/sdk/spine/x.go": "package x\n", "infra/provider/sdk/spine/long.go": strings.Repeat("//\n", 900),
		"a/README.md": "no licence here",
	},
		`a/bare.go:1: the first line is not "// SPDX-License-Identifier: Apache-2.0"`,
		`a/late.go:1: the first line is not`,
		`a/long.go: has 501 lines, more than 500`,
		`infra/provider/sdk/spine/long.go: has 900 lines`,
	)
}

func TestMarks(t *testing.T) {
	owed, skip := "TO"+"DO", "t.Ski"+"p"
	expect(t, marks, map[string]string{
		"a.go":            "// " + owed + ": later\nmasto" + "don()\n",
		"b.md":            "This is NOT IMPLEMENT" + "ED yet, a place" + "holder.\n<input place" + `holder="name">` + "\n",
		"c_test.go":       "\t" + skip + "(\"slow\")\n\tF" + "It(\"x\")\n\tBuildIt(1)\n",
		"d.md":            "call " + skip + "() in prose\n",
		"image.png":       owed,
		"zz_generated.go": owed,
		"run":             "# FIX" + "ME\nmktemp XXXXXX\n",
	},
		`a.go:1: "`+owed+`" unfinished mark`,
		`b.md:1: "NOT IMPLEMENT`,
		`b.md:1: "place`,
		`c_test.go:1: "`+skip,
		`c_test.go:2: "F`,
		`run:1: "FIX`,
	)
}
