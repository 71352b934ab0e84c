// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// spent is what a command took, with all that it started: for pulumi the engine, the program, the providers, the rules.
type spent struct {
	wall, processor time.Duration
	// largest is the most memory that any one of its processes had resident (ru_maxrss), in bytes. They have that at
	// different times: it is not their sum.
	largest float64
}

// add counts a process, and with it all that it has waited for.
func (u *spent) add(r *syscall.Rusage) {
	u.processor += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	u.largest = max(u.largest, float64(r.Maxrss)*1024)
}

// prSetChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2).
const prSetChildSubreaper = 36

// adopt makes this process the parent of whatever its commands leave behind: pulumi ends its plugins without waiting for
// them, so that they would be counted nowhere.
func adopt() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("become the parent of orphans: %w", errno)
	}
	return nil
}

// orphansEnd is how long what a command left behind may take to end: plugins look every 2 s whether the engine is there.
const orphansEnd = 15 * time.Second

// measure runs a command. Nothing else may be started meanwhile. What it says is in the error when it fails.
func measure(cmd *exec.Cmd) (spent, error) {
	// A file, not a pipe: whoever is left behind may hold it open, and the command has ended all the same.
	out, err := os.CreateTemp("", "spine-bench-*.out")
	if err != nil {
		return spent{}, err
	}
	defer func() { _, _ = out.Close(), os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	begin := time.Now()
	err = cmd.Run()
	u := spent{wall: time.Since(begin)}
	if err != nil {
		said, readErr := os.ReadFile(out.Name())
		return u, errors.Join(fmt.Errorf("%s: %w\n%s", cmd, err, said), readErr)
	}
	u.add(cmd.ProcessState.SysUsage().(*syscall.Rusage))
	return u, u.addOrphans()
}

// addOrphans waits for what a command left behind.
func (u *spent) addOrphans() error {
	for deadline := time.Now().Add(orphansEnd); time.Now().Before(deadline); {
		var r syscall.Rusage
		switch pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, &r); {
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return err
		case pid > 0:
			u.add(&r)
		default:
			time.Sleep(20 * time.Millisecond)
		}
	}
	return fmt.Errorf("what the command started still runs %s after its end", orphansEnd)
}
