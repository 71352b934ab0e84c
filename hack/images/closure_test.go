// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// system makes a small root file system: files with content, links as "-> x".
func system(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func paths(l Layer) string {
	var s []string
	for _, f := range l {
		if f.Link != "" {
			s = append(s, f.Path+"->"+f.Link)
		} else {
			s = append(s, f.Path)
		}
	}
	return strings.Join(s, " ")
}

func TestClosureFollowsLinksInside(t *testing.T) {
	root := system(t, map[string]string{
		"usr/sbin/tables":         "-> /etc/alternatives/tables",
		"etc/alternatives/tables": "-> /usr/sbin/tables-new",
		"usr/sbin/tables-new":     "-> multi",
		"usr/sbin/multi":          "#!/bin/sh\n",
		"sbin":                    "-> usr/sbin",
		"usr/lib/x/one.so":        "1",
		"usr/lib/y/two.so":        "2",
		"usr/lib/y/folder.so/no":  "",
		"etc/other":               "",
	})
	layer, err := closure(root, []string{"/sbin/tables"}, []string{"/usr/lib/*/*.so"})
	if err != nil {
		t.Fatal(err)
	}
	want := "/etc/alternatives/tables->/usr/sbin/tables-new /sbin->usr/sbin /usr/lib/x/one.so /usr/lib/y/two.so " +
		"/usr/sbin/multi /usr/sbin/tables->/etc/alternatives/tables /usr/sbin/tables-new->multi"
	if got := paths(layer); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestClosureRefuses(t *testing.T) {
	root := system(t, map[string]string{"a": "-> b", "b": "-> a", "folder/x": ""})
	for name, c := range map[string]struct{ program, pattern, want string }{
		"a missing program":   {"/bin/gone", "", "/bin/gone"},
		"a circle":            {"/a", "", "circles"},
		"a folder":            {"/folder", "", "no regular file"},
		"an empty pattern":    {"", "/lib/*.so", "nothing matches /lib/*.so"},
		"a path out of there": {"/../../../../../etc/passwd", "", "/etc/passwd"},
	} {
		t.Run(name, func(t *testing.T) {
			var programs, patterns []string
			if c.program != "" {
				programs = []string{c.program}
			}
			if c.pattern != "" {
				patterns = []string{c.pattern}
			}
			if _, err := closure(root, programs, patterns); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// TestClosureOfAProgram takes a real program of this machine: whatever it is
// linked with must come along, the loader first of all.
func TestClosureOfAProgram(t *testing.T) {
	needed, err := linkedWith("/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	layer, err := closure("/", []string{"/bin/cat"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range needed {
		if !strings.Contains(paths(layer), filepath.Base(name)) {
			t.Errorf("%s is not among %s", name, paths(layer))
		}
	}
}
