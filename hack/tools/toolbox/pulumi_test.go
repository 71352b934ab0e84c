// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func contains(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// programs makes a folder with executables of those names.
func programs(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestChoosePulumi(t *testing.T) {
	own, with, without, none := programs(t, "pulumi", "pulumi-language-go"), programs(t, "pulumi", "pulumi-language-go"), programs(t, "pulumi"), t.TempDir()
	linked := t.TempDir()
	if err := os.Symlink(filepath.Join(with, "pulumi"), filepath.Join(linked, "pulumi")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path    []string
		version string
		err     error
		used    string
		host    bool
		why     string
	}{
		"none":                       {path: []string{none}, why: "no pulumi on PATH"},
		"only ours":                  {path: []string{own}, version: "v3.250.0", why: "no pulumi on PATH"},
		"new":                        {path: []string{own, with}, version: "v3.217.0\n", used: with, host: true, why: "it is used"},
		"newer":                      {path: []string{with}, version: "v4.0.0", used: with, host: true},
		"old":                        {path: []string{with}, version: "v3.216.9", why: "older than " + MinPulumi},
		"pre-release of the oldest":  {path: []string{with}, version: "v3.217.0-rc.1", why: "older than"},
		"pre-release of a later one": {path: []string{with}, version: "v3.218.0-alpha.1+abc", used: with, host: true},
		"nonsense":                   {path: []string{with}, version: "hello", why: "older than"},
		"does not run":               {path: []string{with}, err: errors.New("exec format error"), why: "exec format error"},
		"without language host":      {path: []string{without}, version: "v3.220.0", used: without},
		"language host beside it":    {path: []string{linked}, version: "v3.220.0", used: linked, host: true},
		"language host elsewhere":    {path: []string{without, with}, version: "v3.220.0", used: without, host: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := ChoosePulumi(strings.Join(c.path, string(os.PathListSeparator)), own, func(string) (string, error) { return c.version, c.err })
			used := ""
			if got.Path != "" {
				used = filepath.Dir(got.Path)
			}
			if used != c.used || got.LanguageHost != c.host || !strings.Contains(got.Why, c.why) {
				t.Errorf("got %+v, want used %q, language host %t, because of %q", got, c.used, c.host, c.why)
			}
		})
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"v3.217.0", "3.1.2-rc.1+x", "v1", "v1.2.-3", "v9999999999.1.1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, _, ok := parseVersion(s); ok && !atLeast(s, "0.0.0-0") {
			t.Errorf("%q is a version, yet older than all", s)
		}
	})
}
