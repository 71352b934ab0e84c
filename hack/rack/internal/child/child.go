// SPDX-License-Identifier: Apache-2.0

// Package child keeps a server of the rack running on a loopback port: its daemon has a front
// for it at each site's gateway.
package child

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// restartPause keeps a server that dies at once from spinning.
	restartPause = time.Second
	// binaryPoll is how often a program that is not built yet is looked for.
	binaryPoll = time.Second
)

// Child runs a server process and starts it again whenever it ends.
type Child struct {
	// Name is the tool that builds the program, and what the log calls it.
	Name string
	// Binary is the program; PortFile keeps the port for the next start.
	Binary, PortFile string
	// Prepare makes ready what the server needs and returns its arguments, for the address
	// to listen at. Secrets have no place in them: every user of the machine can read them.
	Prepare func(address string) ([]string, error)
	// Env is added to this process's environment.
	Env []string
	// Output takes the server's log.
	Output io.Writer
	Log    *slog.Logger

	port atomic.Int32
}

// Address is where the process listens: a loopback address and port. It is empty until the
// process was started for the first time.
func (c *Child) Address() string {
	if p := c.port.Load(); p != 0 {
		return loopback(int(p))
	}
	return ""
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Run keeps the process running until ctx ends.
func (c *Child) Run(ctx context.Context) {
	// The kernel ends the child when the thread that started it ends; the thread stays here.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	told := false
	for ctx.Err() == nil {
		if _, err := os.Stat(c.Binary); err != nil {
			if !told {
				c.Log.Warn("no program for the "+c.Name+" yet: build it with `go run ./hack/tools build "+c.Name+"`", "path", c.Binary)
				told = true
			}
			pause(ctx, binaryPoll)
			continue
		}
		if err := c.once(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error(c.Name+" ended, starts again", "error", err)
		}
		pause(ctx, restartPause)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (c *Child) once(ctx context.Context) error {
	port, err := c.choosePort()
	if err != nil {
		return err
	}
	args, err := c.Prepare(loopback(port))
	if err != nil {
		return err
	}
	if err := writePort(c.PortFile, port); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.Binary, args...)
	cmd.Stdout, cmd.Stderr = c.Output, c.Output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), c.Env...)
	if err := cmd.Start(); err != nil {
		return err
	}
	c.port.Store(int32(port))
	return cmd.Wait()
}

// choosePort takes the former port again if it is free, so that clients need not learn a new one.
func (c *Child) choosePort() (int, error) {
	former, _ := ReadPort(c.PortFile)
	for _, port := range []int{former, 0} {
		if l, err := net.Listen("tcp4", loopback(port)); err == nil {
			defer l.Close()
			return l.Addr().(*net.TCPAddr).Port, nil
		}
	}
	return 0, fmt.Errorf("no free loopback port for the %s", c.Name)
}

// ReadPort is the loopback port that the child with this PortFile was last started on.
func ReadPort(file string) (int, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}

func writePort(path string, port int) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(strconv.Itoa(port)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
