// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

// LaunchCommand is the program's hidden command that runs Machine.Launch.
const LaunchCommand = "__launch"

// Signals that systemd as a machine's init understands (systemd(1)); glibc's SIGRTMIN is 34.
const (
	signalPowerOff = syscall.Signal(34 + 4)
	signalReboot   = syscall.Signal(34 + 5)
)

const (
	bootPoll = 20 * time.Millisecond
	// bootLimit is how long systemd-nspawn may take to start the machine's init.
	bootLimit = 60 * time.Second
	// killLimit is how long the kernel may take to end a machine's processes.
	killLimit = 60 * time.Second
)

// PowerOn boots the machine unless it runs, and returns when its init has started.
func (m Machine) PowerOn(ctx context.Context) error {
	return m.locked(ctx, func() error {
		if m.State() != Off {
			return nil
		}
		if _, err := m.Rootfs(); err != nil {
			return err
		}
		cmd, err := proc.Background([]string{LaunchCommand, "--rack", m.Rack.Name, m.Host.Name}, m.files().Console(), true)
		if err != nil {
			return fmt.Errorf("host %s: power on: %w", m.Host.Name, err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		if err := m.record(cmd.Process.Pid); err != nil {
			return err
		}
		return m.awaitInit(ctx, ended)
	})
}

func (m Machine) record(pid int) error {
	r, err := proc.Of(pid)
	if err != nil {
		return fmt.Errorf("host %s: power on: the launcher ended at once: %s", m.Host.Name, m.lastWords())
	}
	return r.Write(m.files().LauncherPID())
}

func (m Machine) awaitInit(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	for m.group().Init() == 0 {
		select {
		case <-ended:
			return fmt.Errorf("host %s did not boot: %s", m.Host.Name, m.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("host %s did not boot within %s (see `rack logs %s`): %w", m.Host.Name, bootLimit, m.Host.Name, ctx.Err())
		case <-time.After(bootPoll):
		}
	}
	return nil
}

// ForceOff cuts the power: every process of the machine ends by SIGKILL and its link goes.
// When it returns nil, the machine is off for certain.
func (m Machine) ForceOff(ctx context.Context) error {
	return m.locked(ctx, func() error { return m.cut(ctx) })
}

func (m Machine) cut(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killLimit)
	defer cancel()
	// The launcher first: it would take a machine that ends within a reboot up again.
	if launcher, alive := proc.Read(m.files().LauncherPID()); alive {
		if err := syscall.Kill(launcher.PID, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("host %s: stop its launcher: %w", m.Host.Name, err)
		}
		for launcher.Alive() {
			select {
			case <-ctx.Done():
				return fmt.Errorf("host %s: its launcher does not end: %w", m.Host.Name, ctx.Err())
			case <-time.After(bootPoll):
			}
		}
	}
	return m.clean(ctx)
}

// PowerCycle cuts the power and boots again.
func (m Machine) PowerCycle(ctx context.Context) error {
	if err := m.ForceOff(ctx); err != nil {
		return err
	}
	return m.PowerOn(ctx)
}

// ShutDown asks the machine to power itself off, and returns at once.
func (m Machine) ShutDown() error { return m.signal(signalPowerOff) }

// Restart asks the machine to reboot, and returns at once.
func (m Machine) Restart() error { return m.signal(signalReboot) }

// OffError says that a machine cannot do something because it is off.
type OffError struct{ Host string }

func (e *OffError) Error() string { return "host " + e.Host + " is off" }

func (m Machine) signal(s syscall.Signal) error {
	pid := m.group().Init()
	if pid == 0 {
		return &OffError{Host: m.Host.Name}
	}
	return syscall.Kill(pid, s)
}

// locked keeps two power actions on one machine apart, in this process and between processes.
func (m Machine) locked(ctx context.Context, action func() error) error {
	lock, err := proc.Acquire(ctx, m.files().Lock(), nil)
	if err != nil {
		return fmt.Errorf("host %s: %w", m.Host.Name, err)
	}
	defer lock.Release()
	return action()
}

// lastWords is the end of the console log, where a launcher that failed says why.
func (m Machine) lastWords() string {
	data, err := os.ReadFile(m.files().Console())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}
