// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

func testMachine(t *testing.T) Machine {
	t.Helper()
	r, err := spec.Decode([]byte(`
name: dev
sites:
- name: north
  subnet: 10.1.0.0/20
  hosts:
  - {name: a, rack: r1, address: 10.1.0.11, bmc: 10.1.0.111, memoryMiB: 1024}
`), "dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := All(r, paths.Rack(t.TempDir()), cgroup.System{})[0]
	if err := os.WriteFile(m.Folder.SSHPublic(), []byte("ssh-ed25519 AAAA rack\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLayOut(t *testing.T) {
	m := testMachine(t)
	dir := paths.Layout(t.TempDir())
	if err := m.layOut(dir); err != nil {
		t.Fatal(err)
	}
	upper := dir.Upper()
	id, err := m.ID()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"etc/hostname":                            "a\n",
		"etc/machine-id":                          id + "\n",
		"root/.ssh/authorized_keys":               "ssh-ed25519 AAAA rack\n",
		"etc/resolv.conf":                         "nameserver 10.1.0.1\n",
		"etc/systemd/network/10-host0.network":    "Address=10.1.0.11/20\nGateway=10.1.0.1\n",
		"etc/systemd/system/rack-prepare.service": "Before=sysinit.target",
	} {
		if got, err := os.ReadFile(filepath.Join(upper, path)); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("/%s is %q, want %q in it, %v", path, got, want, err)
		}
	}
	for path, want := range map[string]fs.FileMode{"root": 0o700, "root/.ssh": 0o700, "root/.ssh/authorized_keys": 0o600, "etc/ssh/ssh_host_ed25519_key": 0o600, "etc": 0o755} {
		info, err := os.Stat(filepath.Join(upper, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("/%s: %v, %v", path, info, err)
		}
	}
	if target, err := os.Readlink(filepath.Join(upper, "etc/systemd/system/console-getty.service")); err != nil || target != "/dev/null" {
		t.Errorf("console-getty: %s, %v", target, err)
	}
}

// onDisk is what debugfs says of a host's disk.
func onDisk(t *testing.T, m Machine, request string) string {
	t.Helper()
	out, err := exec.Command("debugfs", "-R", request, m.files().Disk()).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestInstall(t *testing.T) {
	m := testMachine(t)
	if err := m.Install(t.Context(), "/rootfs"); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(t, m, "cat /upper/etc/hostname"); got != "a\n" {
		t.Errorf("the disk's /etc/hostname is %q", got)
	}
	if got := onDisk(t, m, "stat /upper/root/.ssh"); !strings.Contains(got, "Mode:  0700") {
		t.Errorf("the disk's /root/.ssh is\n%s", got)
	}
	if got := onDisk(t, m, "ls /data"); !strings.Contains(got, "etcd") || !strings.Contains(got, "volumes") {
		t.Errorf("the disk's areas are %s", got)
	}
	if _, err := os.Stat(string(m.files().Staged())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left %s, %v", m.files().Staged(), err)
	}
	var taken syscall.Stat_t
	if err := syscall.Stat(m.files().Disk(), &taken); err != nil || taken.Blocks*512 > 256<<20 {
		t.Errorf("an empty disk takes %d MiB, %v", taken.Blocks*512>>20, err)
	}
	// What the host changes on its disk is the host's: a second installation leaves it alone.
	if err := m.Install(t.Context(), "/other"); err != nil {
		t.Fatal(err)
	}
	var again syscall.Stat_t
	if err := syscall.Stat(m.files().Disk(), &again); err != nil || again.Ino != taken.Ino {
		t.Errorf("installed twice: another disk, %v", err)
	}
}

func TestInstallGoesOnAfterCrash(t *testing.T) {
	m := testMachine(t)
	if err := m.Install(t.Context(), "/rootfs"); err != nil {
		t.Fatal(err)
	}
	key := onDisk(t, m, "cat /upper/etc/ssh/ssh_host_ed25519_key")
	// As a crash leaves it: half of the content staged, half of a disk written.
	if err := os.Remove(m.files().Installed()); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(m.files().Staged().Upper(), "etc/hostname"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(m.files().Disk(), m.files().Disk()+".new"); err != nil {
		t.Fatal(err)
	}
	if err := m.Install(t.Context(), "/rootfs"); err != nil {
		t.Fatal(err)
	}
	if after := onDisk(t, m, "cat /upper/etc/ssh/ssh_host_ed25519_key"); after == "" || after != key {
		t.Error("the host key changed")
	}
}

func TestLoopOf(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blocks := filepath.Join(dir, "block")
	for device, held := range map[string]string{"loop0": "/elsewhere/disk.img", "loop1": disk + " (deleted)"} {
		if err := os.MkdirAll(filepath.Join(blocks, device, "loop"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(blocks, device, "loop", "backing_file"), []byte(held+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := loopOf(blocks, disk); err != nil || got != "" {
		t.Errorf("held by nobody: %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(blocks, "loop1", "loop", "backing_file"), []byte(disk+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := loopOf(blocks, disk); err != nil || got != "loop1" {
		t.Errorf("held by loop1: %q, %v", got, err)
	}
}

func TestRootfs(t *testing.T) {
	m := testMachine(t)
	if _, err := m.Rootfs(); err == nil || !strings.Contains(err.Error(), "host a is not installed") {
		t.Errorf("not installed: %v", err)
	}
	if err := m.Install(t.Context(), "/gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rootfs(); err == nil || !strings.Contains(err.Error(), "/gone, which is gone") {
		t.Errorf("gone: %v", err)
	}
	if err := os.Remove(m.files().Disk()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rootfs(); err == nil || !strings.Contains(err.Error(), "host a was installed without a disk of its own") {
		t.Errorf("no disk: %v", err)
	}
}

func TestID(t *testing.T) {
	m := testMachine(t)
	a, err := m.ID()
	if err != nil {
		t.Fatal(err)
	}
	m.Host.Name = "b"
	b, err := m.ID()
	if err != nil {
		t.Fatal(err)
	}
	if a == b || len(a) != 32 || a[12] != '4' || !strings.ContainsAny(a[16:17], "89ab") {
		t.Errorf("ids %s and %s", a, b)
	}
}

func TestMeminfo(t *testing.T) {
	const gib = 1 << 30
	empty := meminfo(gib, cgroup.Memory{})
	used := meminfo(gib, cgroup.Memory{Usage: gib / 2, InactiveFile: gib / 4, File: gib / 3, Anon: gib / 8})
	if len(empty) != len(used) {
		t.Errorf("lengths %d and %d: it could not be written over itself", len(empty), len(used))
	}
	for _, want := range []string{"MemTotal:            1048576 kB\n", "MemFree:              524288 kB\n", "MemAvailable:         786432 kB\n", "SwapTotal:                 0 kB\n"} {
		if !strings.Contains(used, want) {
			t.Errorf("no %q in\n%s", want, used)
		}
	}
	over := meminfo(gib, cgroup.Memory{Usage: 2 * gib})
	if !strings.Contains(over, "MemFree:                   0 kB\n") {
		t.Errorf("memory beyond the limit:\n%s", over)
	}
}

func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console.log")
	if err := rotate(path, 10); err != nil {
		t.Errorf("a log that is not there yet: %v", err)
	}
	// The machine holds the file open to append to it, all through the rotation.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, text := range []string{"0123456789", "more", "new"} {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if text != "new" {
			if err := rotate(path, 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	for file, want := range map[string]string{path: "new", path + ".1": "0123456789more"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s holds %q, want %q, %v", file, got, want, err)
		}
	}
}

func TestNspawnArgs(t *testing.T) {
	m := testMachine(t)
	args := m.nspawnArgs()
	for _, want := range []string{
		"--machine=dev-a", "--hostname=a", "--network-bridge=sp-dev", "--capability=all",
		"--bind=" + m.files().Mounted().Area("etcd") + ":/var/lib/etcd", "--bind=" + m.files().Mounted().Area("volumes") + ":/var/lib/spine-volumes",
	} {
		if !slices.Contains(args, want) {
			t.Errorf("no %s in %v", want, args)
		}
	}
}

// The name server of a zone takes updates from each site by a key of its own.
func TestInstallNameServer(t *testing.T) {
	m := testMachine(t)
	m.Host.Zone = "pair.test"
	if err := os.WriteFile(m.Folder.ZoneKey("north"), []byte("a2V5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := paths.Layout(t.TempDir())
	if err := m.layOut(dir); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir.Upper(), "etc/knot/knot.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen: 10.1.0.11@53\n", "  - id: north.\n    algorithm: hmac-sha256\n    secret: a2V5\n", "action: [query, update]\n", "domain: pair.test.\n", "acl: [north]\n"} {
		if !strings.Contains(string(config), want) {
			t.Errorf("%q is not in knot.conf:\n%s", want, config)
		}
	}
	if target, err := os.Readlink(filepath.Join(dir.Upper(), "etc/systemd/system/multi-user.target.wants/knot.service")); err != nil || target != "/lib/systemd/system/knot.service" {
		t.Errorf("knot.service: %s, %v", target, err)
	}
}
