// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
)

const (
	// diskBytes is the size of a host's disk. It takes the space that is written to it, and gives back what is deleted.
	diskBytes = 64 << 30
	// journalMiB is the size of the journal of its file system.
	journalMiB = "64"
	// detachLimit is how long the kernel may take to let go of the disk of a machine that has ended.
	detachLimit = 60 * time.Second
)

// makeDisk makes the host's disk, an ext4 file system in a file.
func (m Machine) makeDisk(ctx context.Context) error {
	staged := m.files().Staged()
	if err := os.RemoveAll(string(staged)); err != nil {
		return err
	}
	if err := m.layOut(staged); err != nil {
		return err
	}
	if err := m.format(ctx, string(staged)); err != nil {
		return err
	}
	return os.RemoveAll(string(staged))
}

// format makes the disk from the folder that holds what lies on it.
func (m Machine) format(ctx context.Context, layout string) error {
	image := m.files().Disk() + ".new"
	file, err := os.Create(image)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(diskBytes); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-J", "size="+journalMiB, "-d", layout, image)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the disk (mkfs.ext4): %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Rename(image, m.files().Disk())
}

// mountDisk mounts the host's disk and, from it, the host's root over the shared root file system.
//
// Each host has a file system of its own, as a fsync on a shared one waits for what all others write. It does not wait for
// the outer disk either (nobarrier): a host's disk has the cache that survives a loss of power, as disks of servers have.
func (m Machine) mountDisk(ctx context.Context, rootfs string) error {
	f := m.files()
	// They separate options and layers in the mount call.
	if strings.ContainsAny(rootfs, ",:") || strings.ContainsAny(string(f), ",:") {
		return fmt.Errorf("host %s: an overlay cannot be mounted from %s and %s: their names must hold no comma or colon; set SPINE_HOME and SPINE_CACHE to other folders", m.Host.Name, rootfs, f)
	}
	if err := awaitDetached(ctx, f.Disk()); err != nil {
		return fmt.Errorf("host %s: %w", m.Host.Name, err)
	}
	cmd := exec.CommandContext(ctx, "mount", "-t", "ext4", "-o", "loop,nobarrier,discard,noatime", f.Disk(), string(f.Mounted()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("host %s: mount its disk %s: %w: %s", m.Host.Name, f.Disk(), err, bytes.TrimSpace(out))
	}
	l := f.Mounted()
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", rootfs, l.Upper(), l.Work())
	if err := syscall.Mount("overlay", f.Root(), "overlay", 0, options); err != nil {
		return fmt.Errorf("host %s: mount its root (overlay, %s): %w", m.Host.Name, options, err)
	}
	return nil
}

// awaitDetached returns when no loop device holds the disk. After a power cut the kernel takes the mounts of the processes
// that it ended apart on its own time; a second device on the same file would be a second writer of one file system.
func awaitDetached(ctx context.Context, disk string) error {
	ctx, cancel := context.WithTimeout(ctx, detachLimit)
	defer cancel()
	for {
		device, err := loopOf("/sys/block", disk)
		if err != nil || device == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("its disk is still in use as /dev/%s: end what uses it (`losetup -l`)", device)
		case <-time.After(bootPoll):
		}
	}
}

// loopOf is the loop device that holds a file, empty if none does. blocks is /sys/block.
func loopOf(blocks, file string) (string, error) {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	backing, err := filepath.Glob(filepath.Join(blocks, "loop*", "loop", "backing_file"))
	if err != nil {
		return "", err
	}
	for _, b := range backing {
		// A device that is let go meanwhile holds nothing.
		if held, err := os.ReadFile(b); err == nil && strings.TrimSuffix(string(held), "\n") == file {
			return filepath.Base(filepath.Dir(filepath.Dir(b))), nil
		}
	}
	return "", nil
}

// layOut puts the host's system and its areas into a folder, as they lie on its disk.
func (m Machine) layOut(dir paths.Layout) error {
	for _, d := range []string{dir.Upper(), dir.Work()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	for _, a := range areas {
		if err := os.MkdirAll(dir.Area(a.name), 0o755); err != nil {
			return err
		}
	}
	files, err := m.systemFiles()
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := file.write(dir.Upper()); err != nil {
			return fmt.Errorf("install /%s: %w", file.path, err)
		}
	}
	return nil
}
