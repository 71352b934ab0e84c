// SPDX-License-Identifier: Apache-2.0

package cachedir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMakeIsAllOrNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tool", "key")
	broken := errors.New("broken")
	half := func(tmp string) error {
		if err := os.WriteFile(filepath.Join(tmp, "half"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return broken
	}
	if _, err := Make(t.Context(), dir, nil, half); !errors.Is(err, broken) {
		t.Fatalf("want the failure, got %v", err)
	}
	if Exists(dir) {
		t.Error("a failed build left something under the final name")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), tmpPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("a failed build left %v, %v", left, err)
	}
	whole := func(tmp string) error { return os.WriteFile(filepath.Join(tmp, "whole"), nil, 0o644) }
	for n, want := range []bool{true, false} {
		if made, err := Make(t.Context(), dir, nil, whole); err != nil || made != want {
			t.Errorf("call %d: made %t, %v", n, made, err)
		}
	}
	if !Exists(filepath.Join(dir, "whole")) {
		t.Error("nothing was built")
	}
}

func TestMakeRemovesWhatAKilledProcessLeft(t *testing.T) {
	parent := t.TempDir()
	stale := filepath.Join(parent, tmpPrefix+"123")
	if err := os.MkdirAll(filepath.Join(stale, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	var removed []string
	remove := func(dir string) error {
		removed = append(removed, dir)
		return os.RemoveAll(dir)
	}
	if _, err := Make(t.Context(), filepath.Join(parent, "key"), remove, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if len(removed) != 1 || removed[0] != stale || Exists(stale) {
		t.Errorf("removed %v", removed)
	}
}

func TestMakeBuildsOnceForMany(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "key")
	var built atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := Make(t.Context(), dir, nil, func(string) error { built.Add(1); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := built.Load(); n != 1 {
		t.Errorf("built %d times", n)
	}
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want the deadline, got %v", err)
	}
	unlock()
	unlock, err = Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLinkReplaces(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old", "new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := Link(filepath.Join(dir, name), filepath.Join(dir, "bin", "x")); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(filepath.Join(dir, "bin", "x")); err != nil || string(got) != name {
			t.Errorf("the link leads to %q, %v", got, err)
		}
	}
}

func TestRoot(t *testing.T) {
	for _, c := range []struct{ spine, xdg, home, want string }{
		{"/a/b", "/c", "/h", "/a/b"},
		{"", "/c", "/h", "/c/spine"},
		{"", "", "/h", "/h/.cache/spine"},
	} {
		t.Setenv("SPINE_CACHE", c.spine)
		t.Setenv("XDG_CACHE_HOME", c.xdg)
		t.Setenv("HOME", c.home)
		if got, err := Root(); err != nil || got != c.want {
			t.Errorf("%+v: got %s, %v", c, got, err)
		}
	}
}
