// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 50 * time.Millisecond

// Lock is a file lock between processes; it ends with its holder.
type Lock struct{ file *os.File }

// Acquire waits for the lock at path until ctx ends. busy, when not nil, is called once if
// another process holds it.
func Acquire(ctx context.Context, path string, busy func()) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	for {
		l, err := try(path)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if busy != nil {
			busy()
			busy = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock %s is held by another process: %w", path, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

func try(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	// The holder before us may have deleted the file: then the lock is one that nobody else sees.
	held, err1 := f.Stat()
	named, err2 := os.Stat(path)
	if err1 != nil || err2 != nil || !os.SameFile(held, named) {
		f.Close()
		return nil, syscall.EWOULDBLOCK
	}
	return &Lock{file: f}, nil
}

// Release gives the lock up and keeps its file.
func (l *Lock) Release() { l.file.Close() }

// Remove deletes the lock's file and gives the lock up.
func (l *Lock) Remove() {
	_ = os.Remove(l.file.Name())
	l.file.Close()
}
