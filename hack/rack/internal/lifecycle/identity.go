// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"spine.nhs.uk/controlplane/hack/rack/internal/objectstore"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// ensureIdentity makes the rack's keys, certificates and passwords where they are missing, and
// writes down the hosts' SSH keys.
func (r *Rack) ensureIdentity(now time.Time) error {
	if err := os.MkdirAll(string(r.Folder), 0o700); err != nil {
		return err
	}
	public, err := pki.EnsureSSHKey(r.Folder.SSHKey(), "spine rack "+r.Def.Name)
	if err != nil {
		return err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + " spine-rack-" + r.Def.Name + "\n"
	if err := os.WriteFile(r.Folder.SSHPublic(), []byte(line), 0o644); err != nil {
		return err
	}
	if err := pki.EnsureCA(r.Def.Name, r.Folder.CACert(), r.Folder.CAKey(), now); err != nil {
		return err
	}
	if err := pki.EnsureSecret(r.Folder.BMCPassword()); err != nil {
		return err
	}
	if err := objectstore.EnsureCredentials(r.Folder); err != nil {
		return err
	}
	if slices.ContainsFunc(r.Def.Hosts(), func(h spec.Host) bool { return h.Zone != "" }) {
		for _, s := range r.Def.Sites {
			if err := pki.EnsureKey(r.Folder.ZoneKey(s.Name)); err != nil {
				return err
			}
		}
	}
	return r.writeKnownHosts()
}

// writeKnownHosts has one line per host, by address, in the order of the definition.
func (r *Rack) writeKnownHosts() error {
	var b strings.Builder
	for _, m := range r.Machines() {
		key, err := m.HostKey()
		if err != nil {
			return fmt.Errorf("host %s: %w", m.Host.Name, err)
		}
		fmt.Fprintf(&b, "%s %s", m.Host.Address, ssh.MarshalAuthorizedKey(key))
	}
	tmp := r.Folder.KnownHosts() + ".new"
	if err := os.WriteFile(tmp, []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, r.Folder.KnownHosts())
}
