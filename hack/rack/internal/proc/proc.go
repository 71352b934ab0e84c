// SPDX-License-Identifier: Apache-2.0

// Package proc starts the rack's background processes and finds them again. A recorded process
// counts only while its pid still belongs to the process that was recorded.
package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Record identifies a process beyond the reuse of its pid.
type Record struct {
	PID int `json:"pid"`
	// StartTicks is the start of the process in clock ticks since boot.
	StartTicks uint64 `json:"startTicks"`
	// Boot is the id of the boot that PID and StartTicks belong to.
	Boot string `json:"boot"`
	// Program is a digest of what the process runs and serves, to notice that it is out of date.
	Program string `json:"program,omitempty"`
}

// Of identifies a running process.
func Of(pid int) (Record, error) {
	ticks, err := startTicks(pid)
	if err != nil {
		return Record{}, err
	}
	boot, err := bootID()
	if err != nil {
		return Record{}, err
	}
	return Record{PID: pid, StartTicks: ticks, Boot: boot}, nil
}

// Alive reports whether the very process that was recorded still runs.
func (r Record) Alive() bool {
	now, err := Of(r.PID)
	return err == nil && now.StartTicks == r.StartTicks && now.Boot == r.Boot
}

// Write keeps the record in a file, replacing it in one step.
func (r Record) Write(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Read returns the record in a file and whether its process is alive. A missing or damaged
// file is a process that does not run.
func Read(path string) (Record, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Record{}, false
	}
	var r Record
	if json.Unmarshal(data, &r) != nil || r.PID <= 0 {
		return Record{}, false
	}
	return r, r.Alive()
}

// startTicks is field 22 of /proc/<pid>/stat (proc(5)); a zombie counts as gone.
func startTicks(pid int) (uint64, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	return parseStat(string(data))
}

func parseStat(stat string) (uint64, error) {
	// The command, field 2, stands in parentheses and may hold spaces and parentheses itself.
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, fmt.Errorf("process stat without a command: %q", stat)
	}
	fields := strings.Fields(stat[end+1:])
	const state, start = 0, 22 - 3
	if len(fields) <= start {
		return 0, fmt.Errorf("process stat too short: %q", stat)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, fs.ErrNotExist
	}
	return strconv.ParseUint(fields[start], 10, 64)
}

func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}

// self is this program's image; it works even after its file was replaced or deleted, as
// `go run` does.
const self = "/proc/self/exe"

// Background starts this program again with args, in a session of its own, with its output
// appended to log. privateMounts gives it a mount namespace whose mounts end with its last process.
func Background(args []string, log string, privateMounts bool) (*exec.Cmd, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := Self(args)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if privateMounts {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(args, " "), err)
	}
	return cmd, nil
}

// Self is a command that runs this program again with args.
func Self(args []string) *exec.Cmd {
	return &exec.Cmd{Path: self, Args: append([]string{"rack"}, args...), Env: os.Environ()}
}

// Exited tells the exit status of a process that ran to its end.
func Exited(err error) (int, bool) {
	if err == nil {
		return 0, true
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), true
	}
	return 0, false
}
