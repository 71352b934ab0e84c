// SPDX-License-Identifier: Apache-2.0

// Package cachedir says where things that can be rebuilt are kept, and makes
// them there so that a process killed at any moment leaves nothing half-made
// under a final name.
package cachedir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tmpPrefix marks folders in the making, so that the next run can tell them
// from finished ones.
const tmpPrefix = ".making-"

// lockPoll is how often a waiting process looks whether a lock is free.
const lockPoll = 200 * time.Millisecond

// Root is $SPINE_CACHE, or spine in the user's cache folder ($XDG_CACHE_HOME,
// ~/.cache). It fails when neither that nor $HOME is set.
func Root() (string, error) {
	if dir := os.Getenv("SPINE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w; set SPINE_CACHE to a folder with 20 GB free", err)
	}
	return filepath.Join(dir, "spine"), nil
}

// Exists says whether a finished entry is at path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Make fills dir by calling fill with an empty temporary folder beside it,
// which then takes dir's name in one step. When dir exists already, or another
// process makes it meanwhile, fill is not called and made is false.
//
// Folders of processes that were killed are passed to remove (os.RemoveAll when
// nil) first; at most one process at a time makes entries in one parent folder.
func Make(ctx context.Context, dir string, remove func(string) error, fill func(tmp string) error) (made bool, err error) {
	if Exists(dir) {
		return false, nil
	}
	if remove == nil {
		remove = os.RemoveAll
	}
	parent := filepath.Dir(dir)
	unlock, err := Lock(ctx, parent)
	if err != nil {
		return false, err
	}
	defer unlock()
	if Exists(dir) {
		return false, nil
	}
	if err := removeStale(parent, remove); err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp(parent, tmpPrefix)
	if err != nil {
		return false, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return false, err
	}
	if err := fill(tmp); err != nil {
		return false, errors.Join(err, remove(tmp))
	}
	if err := os.Rename(tmp, dir); err != nil {
		return false, errors.Join(err, remove(tmp))
	}
	return true, nil
}

// Lock takes the lock of a folder, making the folder first, and waits for
// whoever holds it until ctx ends. The kernel frees the lock of a process that
// dies.
func Lock(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("waiting for another process to finish in %s: %w", dir, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// Link makes name a symbolic link to target in one step, replacing what is
// there. The link is relative, so that the cache can be moved.
func Link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	rel, err := filepath.Rel(filepath.Dir(name), target)
	if err != nil {
		return err
	}
	if old, err := os.Readlink(name); err == nil && old == rel {
		return nil
	}
	tmp := fmt.Sprintf("%s%s%d", filepath.Join(filepath.Dir(name), tmpPrefix), filepath.Base(name), os.Getpid())
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(rel, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

// removeStale removes what killed processes left in parent.
func removeStale(parent string, remove func(string) error) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tmpPrefix) {
			if err := remove(filepath.Join(parent, e.Name())); err != nil {
				return fmt.Errorf("remove what an interrupted run left: %w", err)
			}
		}
	}
	return nil
}
