// SPDX-License-Identifier: Apache-2.0

package toolbox

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent has the kernel end the command when this process dies, even by
// kill -9. runLocked must run it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

// runLocked runs a command on one thread, as the signal of dieWithParent is
// sent when the thread that started the command ends, not the process.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
