// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// isolate gives the command mounts and processes of its own: when it ends, or
// this process is killed, the kernel ends everything it started and undoes
// everything it mounted.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
}

// runLocked runs a command on one thread: the kernel ends an isolated command
// when the thread that started it ends, not the process.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// removeTree removes what an interrupted build left, after undoing mounts in it:
// removing through a mount would remove what is mounted.
func removeTree(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, point := range mountsBelow(string(table), dir) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return os.RemoveAll(dir)
}

// mountsBelow lists the mount points at and below dir in a mountinfo table, the
// deepest first.
func mountsBelow(table, dir string) []string {
	// Blanks are written in octal.
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		if p := unescape.Replace(f[4]); p == dir || strings.HasPrefix(p, dir+"/") {
			points = append(points, p)
		}
	}
	// Later lines lie on top of earlier ones.
	slices.Reverse(points)
	slices.SortStableFunc(points, func(a, b string) int { return len(b) - len(a) })
	return points
}
