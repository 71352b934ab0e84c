// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxLink is the longest name of a Linux network interface (IFNAMSIZ less the closing zero).
const maxLink = 15

// Names of what a rack leaves in the kernel. All are made from the rack's and the host's name
// alone, so that `rack down` finds leftovers without any record.

// CgroupPrefix starts the name of every cgroup of the rack. Names hold no dot, so the racks
// "x" and "x-y" cannot be taken for each other.
func (r Rack) CgroupPrefix() string { return "spine-" + r.Name + "." }

// HostCgroup is the cgroup that a host runs in.
func (r Rack) HostCgroup(host string) string { return r.CgroupPrefix() + host }

// ServiceCgroup is the cgroup of the rack's own processes: daemon, registry, launchers. The
// capital keeps it apart from any host's.
func (r Rack) ServiceCgroup() string { return r.CgroupPrefix() + "Service" }

// Table is the nftables table with the rack's partitions.
func (r Rack) Table() string { return "spine_" + r.Name }

// Machine is the name under which systemd-nspawn runs a host, unique over racks and short
// enough that "vb-"+Machine is a valid link name.
func (r Rack) Machine(host string) string { return shorten(r.Name+"-"+host, maxLink-len("vb-")) }

// Link is the bridge port of a host, as systemd-nspawn names it.
func (r Rack) Link(host string) string { return "vb-" + r.Machine(host) }

func defaultBridge(rack, site string, sites int) string {
	if sites == 1 {
		return shorten("sp-"+rack, maxLink)
	}
	return shorten("sp-"+rack+"-"+site, maxLink)
}

// shorten keeps names that fit and replaces the end of others by a hash of the whole.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	const digits = 6
	return name[:limit-digits] + hex.EncodeToString(sum[:])[:digits]
}
