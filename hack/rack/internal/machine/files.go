// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// systemFile is one file or symbolic link that the installation puts on the disk.
type systemFile struct {
	// path is relative to the host's root.
	path    string
	content string
	// link is the target of a symbolic link; content is then empty.
	link string
	mode fs.FileMode
}

func (f systemFile) write(root string) error {
	path := filepath.Join(root, f.path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if f.link != "" {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return os.Symlink(f.link, path)
	}
	if f.mode.IsDir() {
		if err := os.MkdirAll(path, f.mode.Perm()); err != nil {
			return err
		}
		return os.Chmod(path, f.mode.Perm())
	}
	if err := os.WriteFile(path, []byte(f.content), f.mode); err != nil {
		return err
	}
	return os.Chmod(path, f.mode)
}

const (
	prepPath = "usr/local/lib/rack/prepare"
	// meminfoPath is where the host gets its own memory figures; /proc is mounted too late for it.
	meminfoPath = "/usr/local/lib/rack/meminfo"
)

// prepScript makes the machine usable for containers. systemd-nspawn hands over cgroup v1
// controllers and kernel settings read-only; kubelet needs both writable, its own memory
// figures, and mounts that reach the containers.
const prepScript = `#!/bin/sh
for tree in /sys/fs/cgroup/*/; do
  mountpoint -q "$tree" && mount -o remount,bind,rw "$tree"
done
mount -o remount,bind,rw /proc/sys
mount --bind ` + meminfoPath + ` /proc/meminfo
mount --make-rshared /
`

const prepUnit = `[Unit]
Description=Writable cgroups and kernel settings for containers
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target systemd-sysctl.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /` + prepPath + `

[Install]
WantedBy=sysinit.target
`

// sshdConfig leaves one host key and one way to log in.
const sshdConfig = `HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
`

// journalConfig bounds the log in memory, which counts against the host's own.
const journalConfig = `[Journal]
RuntimeMaxUse=64M
`

// masked units have nothing to do on a host without a terminal or a package mirror.
var masked = []string{"console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer"}

// systemFiles lists everything that makes the shared root file system this one host.
func (m Machine) systemFiles() ([]systemFile, error) {
	id, err := m.ID()
	if err != nil {
		return nil, err
	}
	authorized, err := os.ReadFile(m.Folder.SSHPublic())
	if err != nil {
		return nil, err
	}
	public, err := m.HostKey()
	if err != nil {
		return nil, err
	}
	private, err := os.ReadFile(m.files().HostKey())
	if err != nil {
		return nil, err
	}
	const unitDir = "etc/systemd/system/"
	files := []systemFile{
		{path: "etc/hostname", content: m.Host.Name + "\n", mode: 0o644},
		{path: "etc/machine-id", content: id + "\n", mode: 0o444},
		{path: "etc/hosts", content: m.hostsFile(), mode: 0o644},
		{path: "etc/resolv.conf", content: "nameserver " + m.Site.Gateway().String() + "\n", mode: 0o644},
		{path: "etc/localtime", link: "/usr/share/zoneinfo/Etc/UTC"},
		{path: "etc/systemd/network/10-host0.network", content: m.networkFile(), mode: 0o644},
		{path: "etc/systemd/journald.conf.d/10-rack.conf", content: journalConfig, mode: 0o644},
		{path: "root", mode: fs.ModeDir | 0o700},
		{path: "root/.ssh", mode: fs.ModeDir | 0o700},
		{path: "root/.ssh/authorized_keys", content: string(authorized), mode: 0o600},
		{path: "etc/ssh/ssh_host_ed25519_key", content: string(private), mode: 0o600},
		{path: "etc/ssh/ssh_host_ed25519_key.pub", content: string(ssh.MarshalAuthorizedKey(public)), mode: 0o644},
		{path: "etc/ssh/sshd_config.d/10-rack.conf", content: sshdConfig, mode: 0o644},
		{path: prepPath, content: prepScript, mode: 0o755},
		{path: unitDir + "rack-prepare.service", content: prepUnit, mode: 0o644},
		{path: unitDir + "sysinit.target.wants/rack-prepare.service", link: "../rack-prepare.service"},
		{path: unitDir + "multi-user.target.wants/ssh.service", link: "/lib/systemd/system/ssh.service"},
		{path: unitDir + "multi-user.target.wants/systemd-networkd.service", link: "/lib/systemd/system/systemd-networkd.service"},
		{path: unitDir + "network-online.target.wants/systemd-networkd-wait-online.service", link: "/lib/systemd/system/systemd-networkd-wait-online.service"},
	}
	if m.Host.Zone != "" {
		zone, err := m.zoneFiles()
		if err != nil {
			return nil, err
		}
		files = append(files, zone...)
	}
	for _, unit := range masked {
		files = append(files, systemFile{path: unitDir + unit, link: "/dev/null"})
	}
	return files, nil
}

func (m Machine) hostsFile() string {
	return fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", m.Host.Address, m.Host.Name)
}

func (m Machine) networkFile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[Match]\nName=host0\n\n[Network]\n")
	fmt.Fprintf(&b, "Address=%s/%d\n", m.Host.Address, m.Site.Prefix().Bits())
	fmt.Fprintf(&b, "Gateway=%s\n", m.Site.Gateway())
	// Addresses that others add to the interface, as keepalived does, are theirs to keep.
	fmt.Fprintf(&b, "KeepConfiguration=static\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n")
	return b.String()
}
