// SPDX-License-Identifier: Apache-2.0

// Package network lays the wires of a rack on the outer machine: one bridge per site, the
// addresses of gateways and BMCs on it, and the cuts between hosts.
package network

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// aliasPrefix starts the alias of every bridge that a rack made. The alias is how a rack is
// found without any file: "spine rack=<rack> site=<site> home=<folder>".
const aliasPrefix = "spine "

// Bridge is a bridge that some rack made, as found in the kernel.
type Bridge struct {
	Link, Rack, Site, Home string
}

func alias(rack, site, home string) string {
	return aliasPrefix + "rack=" + rack + " site=" + site + " home=" + home
}

func parseAlias(link, text string) (Bridge, bool) {
	rest, ok := strings.CutPrefix(text, aliasPrefix)
	if !ok {
		return Bridge{}, false
	}
	b := Bridge{Link: link}
	// The folder comes last, as it may hold spaces.
	rest, b.Home, _ = strings.Cut(rest, " home=")
	for f := range strings.FieldsSeq(rest) {
		if v, ok := strings.CutPrefix(f, "rack="); ok {
			b.Rack = v
		} else if v, ok := strings.CutPrefix(f, "site="); ok {
			b.Site = v
		}
	}
	return b, b.Rack != ""
}

// Bridges finds the bridges of all racks on this machine.
func Bridges() ([]Bridge, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list network links: %w", err)
	}
	var out []Bridge
	for _, l := range links {
		if b, ok := parseAlias(l.Attrs().Name, l.Attrs().Alias); ok {
			out = append(out, b)
		}
	}
	return out, nil
}

// EnsureSite makes the site's bridge with the gateway's and the BMCs' addresses, or completes it.
func EnsureSite(r spec.Rack, s spec.Site, home string) error {
	link, err := ensureBridge(s.Bridge, alias(r.Name, s.Name, home))
	if err != nil {
		return fmt.Errorf("site %s: %w", s.Name, err)
	}
	// The bridge answers for the BMCs too: each is a service of the rack's daemon.
	want := []netip.Prefix{netip.PrefixFrom(s.Gateway(), s.Prefix().Bits())}
	for _, h := range s.Hosts {
		want = append(want, netip.PrefixFrom(netip.MustParseAddr(h.BMC), 32))
	}
	for _, p := range want {
		ipnet := &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
		err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipnet})
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			return fmt.Errorf("site %s: address %s on %s: %w", s.Name, p, s.Bridge, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("site %s: set %s up: %w", s.Name, s.Bridge, err)
	}
	return quickNeighbours(s)
}

// quickNeighbours asks for a host that does not answer ARP every 100 ms instead of every
// second, so that a host which has just booted is found at once.
func quickNeighbours(s spec.Site) error {
	file := filepath.Join("/proc/sys/net/ipv4/neigh", s.Bridge, "retrans_time_ms")
	if err := os.WriteFile(file, []byte("100"), 0o644); err != nil {
		return fmt.Errorf("site %s: %w", s.Name, err)
	}
	return nil
}

func ensureBridge(name, alias string) (netlink.Link, error) {
	link, err := netlink.LinkByName(name)
	if err == nil {
		if link.Attrs().Alias != alias {
			return nil, fmt.Errorf("the link %s exists already and is not this rack's: remove it, or set another bridge in the rack definition", name)
		}
		return link, nil
	}
	if !isNotFound(err) {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	// A bridge without an address of its own takes that of a port, and changes it when the
	// port's machine goes off: everyone's ARP entry for gateway and BMCs would be wrong then.
	attrs.HardwareAddr = hardwareAddr(alias)
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		return nil, fmt.Errorf("add bridge %s: %w", name, err)
	}
	if link, err = netlink.LinkByName(name); err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	if err := netlink.LinkSetAlias(link, alias); err != nil {
		return nil, fmt.Errorf("mark bridge %s: %w", name, err)
	}
	return link, nil
}

// hardwareAddr makes a locally administered unicast address that is always the same for a name.
func hardwareAddr(name string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(name))
	return net.HardwareAddr{0x02, 0x5b, sum[0], sum[1], sum[2], sum[3]}
}

// RemoveRack deletes the bridges of the named rack with all that is plugged into them.
func RemoveRack(rack string) error {
	bridges, err := Bridges()
	if err != nil {
		return err
	}
	for _, b := range bridges {
		if b.Rack != rack {
			continue
		}
		if err := removeBridge(b.Link); err != nil {
			return err
		}
	}
	return nil
}

func removeBridge(name string) error {
	bridge, err := netlink.LinkByName(name)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network links: %w", err)
	}
	for _, l := range links {
		if l.Attrs().MasterIndex == bridge.Attrs().Index {
			if err := RemoveLink(l.Attrs().Name); err != nil {
				return err
			}
		}
	}
	return RemoveLink(name)
}

// RemoveLink deletes a link; one that is not there is fine.
func RemoveLink(name string) error {
	link, err := netlink.LinkByName(name)
	if isNotFound(err) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	// The kernel may just be taking the link down with its machine's network namespace.
	if err != nil && !errors.Is(err, syscall.ENODEV) {
		return fmt.Errorf("remove link %s: %w", name, err)
	}
	return nil
}

func isNotFound(err error) bool {
	var missing netlink.LinkNotFoundError
	return errors.As(err, &missing)
}
