// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock is what Pulumi's self-managed backend writes while a stack is being updated (pkg/backend/diy/lock.go).
type lock struct {
	Pid       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

func readLock(path string) (lock, error) {
	var l lock
	data, err := os.ReadFile(path)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(data, &l); err != nil || l.Pid <= 0 {
		return l, fmt.Errorf("%s is not a lock that pulumi wrote: look at it, then run `pulumi cancel`", path)
	}
	return l, nil
}

// dead reports whether the lock's holder ran on this host and is gone. A holder on another host is taken to be alive.
func (l lock) dead(hostname string, exists func(pid int) bool) bool {
	return l.Hostname == hostname && !exists(l.Pid)
}

func processExists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || !errors.Is(err, syscall.ESRCH)
}
