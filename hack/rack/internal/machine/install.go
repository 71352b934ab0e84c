// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

// Install does once what an operating system installer does on a real host: it lays out the
// disk that lies over the shared root file system and gives the host its name, identity, network
// and the rack's SSH key. Everything else is configured over SSH by who owns the host.
func (m Machine) Install(ctx context.Context, rootfs string) error {
	f := m.files()
	if _, err := os.Stat(f.Installed()); err == nil {
		return nil
	}
	for _, dir := range []string{f.Root(), string(f.Mounted())} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := m.makeDisk(ctx); err != nil {
		return fmt.Errorf("host %s: %w", m.Host.Name, err)
	}
	// Last, as it says that the rest is whole. The name of the root file system stays with the
	// host: an overlay must not change what it lies on.
	return os.WriteFile(f.Installed(), []byte(rootfs+"\n"), 0o644)
}

// Rootfs is the root file system that the host was installed from.
func (m Machine) Rootfs() (string, error) {
	data, err := os.ReadFile(m.files().Installed())
	if err != nil {
		return "", fmt.Errorf("host %s is not installed: run `rack up` first: %w", m.Host.Name, err)
	}
	dir := strings.TrimSpace(string(data))
	if _, err := os.Stat(m.files().Disk()); err != nil {
		return "", fmt.Errorf("host %s was installed without a disk of its own, by an earlier version: `rack down` and `rack up` install it anew", m.Host.Name)
	}
	if _, err := os.Lstat(filepath.Join(dir, "sbin", "init")); err != nil {
		return "", fmt.Errorf("host %s was installed from %s, which is gone: `rack down` and `rack up` install it anew", m.Host.Name, dir)
	}
	return dir, nil
}

// HostKey is the host's public SSH key, made on first use and kept as long as the rack.
func (m Machine) HostKey() (ssh.PublicKey, error) {
	if err := os.MkdirAll(string(m.files()), 0o755); err != nil {
		return nil, err
	}
	return pki.EnsureSSHKey(m.files().HostKey(), "root@"+m.Host.Name)
}

// ID is the host's machine id: 32 hexadecimal digits, the same for every boot. It is made
// from the rack's SSH key and the host's name, so that it needs no file of its own and no two
// racks share one.
func (m Machine) ID() (string, error) {
	key, err := os.ReadFile(m.Folder.SSHPublic())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(string(key) + m.Host.Name))
	// The bits of a random UUID (RFC 9562, version 4), which machine-id(5) asks for.
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x", sum[:16]), nil
}
