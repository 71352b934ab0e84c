// SPDX-License-Identifier: Apache-2.0

package paths

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	cases := []struct{ spine, xdg, want string }{
		{"/cache", "/xdg", "/cache"},
		{"", "/xdg", "/xdg/spine"},
		{"", "", "/home/me/.cache/spine"},
	}
	t.Setenv("HOME", "/home/me")
	for _, c := range cases {
		t.Setenv("SPINE_CACHE", c.spine)
		t.Setenv("XDG_CACHE_HOME", c.xdg)
		if got, err := Cache(); err != nil || got != c.want {
			t.Errorf("%+v: got %s, %v", c, got, err)
		}
	}
}

func TestNewestRootfs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SPINE_CACHE", dir)
	if _, err := NewestRootfs(); err == nil || !strings.Contains(err.Error(), "go run ./hack/images rootfs") {
		t.Errorf("no root file system: %v", err)
	}
	now := time.Now()
	for i, key := range []string{"old", "new", "newest.tmp"} {
		root := filepath.Join(dir, "rootfs", key)
		if err := os.MkdirAll(filepath.Join(root, "usr", "sbin"), 0o755); err != nil {
			t.Fatal(err)
		}
		// As Debian has it: links that lead nowhere outside the root.
		for link, target := range map[string]string{"sbin": "usr/sbin", "usr/sbin/init": "/lib/systemd/systemd-of-the-host"} {
			if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
				t.Fatal(err)
			}
		}
		when := now.Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(root, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := NewestRootfs(); err != nil || got != filepath.Join(dir, "rootfs", "new") {
		t.Errorf("got %s, %v", got, err)
	}
}
