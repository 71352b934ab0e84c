// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"strings"
)

// knotConfig takes signed updates and writes them to its journal before it answers. The zone's
// file stays as it was installed: what has changed since is in the journal.
const knotConfig = `server:
    rundir: /run/knot
    listen: %[1]s@53
log:
  - target: stderr
    any: info
database:
    storage: /var/lib/knot
%[2]szone:
  - domain: %[3]s
    storage: /etc/knot
    file: zone
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
    acl: [%[4]s]
`

// zoneFiles make the host the name server of its zone.
func (m Machine) zoneFiles() ([]systemFile, error) {
	var keys, acls strings.Builder
	var names []string
	keys.WriteString("key:\n")
	acls.WriteString("acl:\n")
	for _, s := range m.Rack.Sites {
		secret, err := os.ReadFile(m.Folder.ZoneKey(s.Name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&keys, "  - id: %s.\n    algorithm: hmac-sha256\n    secret: %s\n", s.Name, strings.TrimSpace(string(secret)))
		fmt.Fprintf(&acls, "  - id: %[1]s\n    key: %[1]s.\n    action: [query, update]\n", s.Name)
		names = append(names, s.Name)
	}
	zone := fmt.Sprintf("@ 0 SOA ns hostmaster 1 3600 600 86400 0\n@ 0 NS ns\nns 0 A %s\n", m.Host.Address)
	config := fmt.Sprintf(knotConfig, m.Host.Address, keys.String()+acls.String(), m.Host.Zone+".", strings.Join(names, ", "))
	return []systemFile{
		// The server is not root; nobody but root logs in here.
		{path: "etc/knot/knot.conf", content: config, mode: 0o644},
		{path: "etc/knot/zone", content: zone, mode: 0o644},
		{path: "etc/systemd/system/multi-user.target.wants/knot.service", link: "/lib/systemd/system/knot.service"},
	}, nil
}
