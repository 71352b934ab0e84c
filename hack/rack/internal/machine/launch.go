// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

const (
	// rebooted is systemd-nspawn's exit status when the machine asked for a reboot.
	rebooted = 133
	// consoleLimit and consoleCheck bound the console log: at most twice the limit, in bytes.
	consoleLimit = 4 << 20
	consoleCheck = 10 * time.Second
)

// BootCommand is the program's hidden command that enters a cgroup and becomes systemd-nspawn.
const BootCommand = "__boot"

// Launch is the life of a machine from power on to power off, through any number of reboots.
// It runs in a background process of its own, whose mount namespace holds the machine's root
// file system: with the last process the mount is gone, however it ended.
func (m Machine) Launch(ctx context.Context) error {
	rootfs, err := m.Rootfs()
	if err != nil {
		return err
	}
	service := m.service()
	if err := service.Create(0); err != nil {
		return err
	}
	if err := service.Enter(os.Getpid()); err != nil {
		return err
	}
	if err := m.mountDisk(ctx, rootfs); err != nil {
		return err
	}
	if err := hideNspawnState(); err != nil {
		return err
	}
	if err := m.writeMeminfo(cgroup.Memory{}); err != nil {
		return err
	}
	go m.keepMeminfo(ctx)
	go m.boundConsole(ctx)
	for {
		if err := m.clean(ctx); err != nil {
			return err
		}
		code, err := m.boot(ctx)
		if err != nil {
			return err
		}
		if code != rebooted {
			fmt.Fprintf(os.Stderr, "rack: host %s is off (systemd-nspawn ended with %d)\n", m.Host.Name, code)
			return m.clean(ctx)
		}
		fmt.Fprintf(os.Stderr, "rack: host %s reboots\n", m.Host.Name)
	}
}

// hideNspawnState gives systemd-nspawn a folder for its locks and per-machine files that only
// this process and its children see: when it is killed, it leaves nothing behind.
func hideNspawnState() error {
	const dir = "/run/systemd/nspawn"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", dir, err)
	}
	return nil
}

// clean removes what a former run of the machine left. Stale cgroups would keep kubelet busy
// for minutes, and a link still there would keep the new one from being made.
func (m Machine) clean(ctx context.Context) error {
	if err := m.group().Kill(ctx); err != nil {
		return err
	}
	if err := m.group().Remove(ctx); err != nil {
		return err
	}
	return network.RemoveLink(m.Rack.Link(m.Host.Name))
}

// boot runs the machine once and returns systemd-nspawn's exit status, 255 if a signal ended it.
func (m Machine) boot(ctx context.Context) (int, error) {
	if err := m.group().Create(m.memoryBytes()); err != nil {
		return 0, err
	}
	cmd := proc.Self(append([]string{BootCommand, m.group().Name}, m.nspawnArgs()...))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("host %s: boot: %w", m.Host.Name, err)
	}
	if code, ok := proc.Exited(cmd.Wait()); ok {
		return code, nil
	}
	return 255, nil
}

// Boot makes this process the machine's systemd-nspawn, inside the host's cgroup. It returns
// only on failure.
func Boot(group string, argv []string) error {
	system, err := cgroup.Detect()
	if err != nil {
		return err
	}
	if err := (cgroup.Group{System: system, Name: group}).Enter(os.Getpid()); err != nil {
		return err
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, argv, os.Environ())
}

// boundConsole keeps the console log from growing without end: past the limit, its text moves
// to console.log.1. The machine appends to the file, so that it goes on at the new end.
func (m Machine) boundConsole(ctx context.Context) {
	tick := time.NewTicker(consoleCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := rotate(m.files().Console(), consoleLimit); err != nil {
			fmt.Fprintf(os.Stderr, "rack: console log of host %s: %v\n", m.Host.Name, err)
		}
	}
}

func rotate(path string, limit int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() <= limit {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".1", text, 0o640); err != nil {
		return err
	}
	return os.Truncate(path, 0)
}
