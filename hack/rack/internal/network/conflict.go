// SPDX-License-Identifier: Apache-2.0

package network

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// used is a subnet that the outer machine already reaches, and by what.
type used struct {
	prefix netip.Prefix
	link   string
	what   string
}

// Conflicts lists the sites of a rack that cannot be brought up because their subnet overlaps
// with another running rack or with an address or route of the outer machine, and bridges
// whose name is taken by a link that is not the rack's.
func Conflicts(r spec.Rack, home string) (field.ErrorList, error) {
	bridges, err := Bridges()
	if err != nil {
		return nil, err
	}
	taken, err := inUse(bridges, r.Name)
	if err != nil {
		return nil, err
	}
	var errs field.ErrorList
	for _, b := range bridges {
		if b.Rack == r.Name && b.Home != home {
			errs = append(errs, field.Invalid(field.NewPath("name"), r.Name,
				fmt.Sprintf("this rack already runs from SPINE_HOME=%s: use that, or another name", b.Home)))
			return errs, nil
		}
	}
	for i, s := range r.Sites {
		p := field.NewPath("sites").Index(i)
		errs = append(errs, overlaps(s, taken, p)...)
		if link, err := netlink.LinkByName(s.Bridge); err == nil {
			if link.Attrs().Alias != alias(r.Name, s.Name, home) {
				errs = append(errs, field.Invalid(p.Child("bridge"), s.Bridge, "a link of that name exists already and is not this rack's"))
			}
		}
	}
	return errs, nil
}

// inUse gathers routes and addresses of the outer machine, but for those of the rack itself.
func inUse(bridges []Bridge, rack string) ([]used, error) {
	owner, own := map[int]string{}, map[int]bool{}
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list network links: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		for _, b := range bridges {
			if b.Link == l.Attrs().Name {
				owner[l.Attrs().Index] = b.Rack
				own[l.Attrs().Index] = b.Rack == rack
			}
		}
	}
	what := func(index int, kind string) string {
		if owner[index] != "" {
			return "the running rack " + owner[index]
		}
		return kind
	}
	var out []used
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range addrs {
		if p, ok := toPrefix(a.IPNet.IP, a.IPNet.Mask); ok && !own[a.LinkIndex] {
			out = append(out, used{p, names[a.LinkIndex], what(a.LinkIndex, "an address")})
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	for _, rt := range routes {
		if rt.Dst == nil || own[rt.LinkIndex] {
			continue
		}
		// The default route reaches everything and so conflicts with nothing.
		if p, ok := toPrefix(rt.Dst.IP, rt.Dst.Mask); ok && p.Bits() > 0 {
			out = append(out, used{p, names[rt.LinkIndex], what(rt.LinkIndex, "a route")})
		}
	}
	return out, nil
}

func overlaps(s spec.Site, taken []used, p *field.Path) field.ErrorList {
	for _, u := range taken {
		if s.Prefix().Overlaps(u.prefix) {
			// One is enough: a link's address and its route say the same.
			return field.ErrorList{field.Invalid(p.Child("subnet"), s.Subnet,
				fmt.Sprintf("overlaps with %s, %s on %s: choose another subnet, or take that down", u.prefix, u.what, u.link))}
		}
	}
	return nil
}

func toPrefix(ip, mask []byte) (netip.Prefix, bool) {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return netip.Prefix{}, false
	}
	bits := 0
	for _, b := range mask {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	p, err := addr.Unmap().Prefix(bits)
	return p, err == nil
}
