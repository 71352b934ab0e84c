// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxRackName  = 32
	maxHostName  = 32
	minMemoryMiB = 512
	maxMemoryMiB = 1 << 20
)

// InvalidError lists every mistake of one rack definition.
type InvalidError struct {
	// Source is the file that the definition came from.
	Source string
	Errs   field.ErrorList
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d mistakes in the rack definition:", e.Source, len(e.Errs))
	if len(e.Errs) == 1 {
		b.Reset()
		fmt.Fprintf(&b, "%s: a mistake in the rack definition:", e.Source)
	}
	for _, err := range e.Errs {
		b.WriteString("\n  " + err.Error())
	}
	return b.String()
}

// Validate returns all mistakes at once, each with its field path.
func (r Rack) Validate() field.ErrorList {
	v := &validator{names: map[string]string{}, addresses: map[netip.Addr]string{}, bridges: map[string]string{}, links: map[string]string{}}
	v.label(field.NewPath("name"), r.Name, maxRackName)
	sites := field.NewPath("sites")
	if len(r.Sites) == 0 {
		v.add(field.Required(sites, "a rack needs at least one site"))
	}
	hosts := 0
	for i, s := range r.Sites {
		v.site(r, s, sites.Index(i))
		hosts += len(s.Hosts)
	}
	if len(r.Sites) > 0 && hosts == 0 {
		v.add(field.Required(sites.Index(0).Child("hosts"), "a rack needs at least one host"))
	}
	v.overlaps(r.Sites, sites)
	return v.errs
}

// validator gathers errors and what has been seen so far: value to the path that used it.
type validator struct {
	errs      field.ErrorList
	names     map[string]string
	addresses map[netip.Addr]string
	bridges   map[string]string
	links     map[string]string
}

func (v *validator) add(err *field.Error) { v.errs = append(v.errs, err) }

// label checks a DNS label and reports whether it may be used further.
func (v *validator) label(p *field.Path, name string, limit int) bool {
	if name == "" {
		v.add(field.Required(p, "a lower-case name, such as a1"))
		return false
	}
	if len(name) > limit {
		v.add(field.TooLong(p, name, limit))
		return false
	}
	for _, msg := range validation.IsDNS1123Label(name) {
		v.add(field.Invalid(p, name, msg))
		return false
	}
	return true
}

// claim keeps the names of sites, physical racks and hosts apart: `rack partition A B` takes
// any of them. A physical rack may claim its name again and again within one site.
func (v *validator) claim(p *field.Path, name, owner string) {
	seen, ok := v.names[name]
	if ok && (seen != owner || !strings.HasPrefix(owner, "rack")) {
		v.add(field.Invalid(p, name, "is already the name of a "+seen))
		return
	}
	v.names[name] = owner
}

func (v *validator) site(r Rack, s Site, p *field.Path) {
	if v.label(p.Child("name"), s.Name, maxHostName) {
		v.claim(p.Child("name"), s.Name, "site")
	}
	prefix, ok := v.subnet(p.Child("subnet"), s.Subnet)
	v.bridge(p.Child("bridge"), s.Bridge)
	for i, h := range s.Hosts {
		v.host(r, s, h, prefix, ok, p.Child("hosts").Index(i))
	}
}

func (v *validator) subnet(p *field.Path, text string) (netip.Prefix, bool) {
	if text == "" {
		v.add(field.Required(p, "an IPv4 subnet, such as 10.90.0.0/24"))
		return netip.Prefix{}, false
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		v.add(field.Invalid(p, text, "must be an IPv4 subnet, such as 10.90.0.0/24"))
	case prefix != prefix.Masked():
		v.add(field.Invalid(p, text, "must be the subnet's first address: "+prefix.Masked().String()))
	case prefix.Bits() < 16 || prefix.Bits() > 28:
		v.add(field.Invalid(p, text, "must be /16 to /28"))
	default:
		return prefix, true
	}
	return netip.Prefix{}, false
}

func (v *validator) bridge(p *field.Path, name string) {
	if len(name) > maxLink {
		v.add(field.TooLong(p, name, maxLink))
	} else if strings.ContainsAny(name, "/ \t") || strings.HasPrefix(name, ".") {
		v.add(field.Invalid(p, name, "must be a valid name of a network link"))
	}
	if seen, ok := v.bridges[name]; ok {
		v.add(field.Invalid(p, name, "is already the bridge of "+seen))
	}
	v.bridges[name] = p.String()
}

func (v *validator) host(r Rack, s Site, h Host, prefix netip.Prefix, prefixOK bool, p *field.Path) {
	if v.label(p.Child("name"), h.Name, maxHostName) {
		v.claim(p.Child("name"), h.Name, "host")
		link := r.Link(h.Name)
		if seen, ok := v.links[link]; ok && seen != h.Name {
			v.add(field.Invalid(p.Child("name"), h.Name, "its link name "+link+" collides with that of host "+seen))
		}
		v.links[link] = h.Name
	}
	if v.label(p.Child("rack"), h.Rack, maxHostName) {
		v.claim(p.Child("rack"), h.Rack, "rack of site "+s.Name)
	}
	v.address(p.Child("address"), h.Address, prefix, prefixOK)
	v.address(p.Child("bmc"), h.BMC, prefix, prefixOK)
	if h.Zone != "" && len(validation.IsDNS1123Subdomain(h.Zone)) > 0 {
		v.add(field.Invalid(p.Child("zone"), h.Zone, "must be a DNS name without a closing dot, such as pair.spine.internal"))
	}
	if h.MemoryMiB < minMemoryMiB || h.MemoryMiB > maxMemoryMiB {
		v.add(field.Invalid(p.Child("memoryMiB"), h.MemoryMiB, fmt.Sprintf("must be %d to %d MiB", minMemoryMiB, maxMemoryMiB)))
	}
}

func (v *validator) address(p *field.Path, text string, prefix netip.Prefix, prefixOK bool) {
	if text == "" {
		v.add(field.Required(p, "an address within the site's subnet"))
		return
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		v.add(field.Invalid(p, text, "must be an IPv4 address"))
		return
	}
	if seen, ok := v.addresses[addr]; ok {
		v.add(field.Invalid(p, text, "is already used by "+seen))
	} else {
		v.addresses[addr] = p.String()
	}
	if !prefixOK {
		return
	}
	switch {
	case !prefix.Contains(addr):
		v.add(field.Invalid(p, text, "must be within the site's subnet "+prefix.String()))
	case addr == prefix.Addr() || addr == lastAddr(prefix):
		v.add(field.Invalid(p, text, "must not be the network or broadcast address of "+prefix.String()))
	case addr == prefix.Addr().Next():
		v.add(field.Invalid(p, text, "is the site's gateway; hosts and BMCs come after it"))
	}
}

func (v *validator) overlaps(sites []Site, p *field.Path) {
	for i := range sites {
		a, err := netip.ParsePrefix(sites[i].Subnet)
		if err != nil {
			continue
		}
		for j := range i {
			b, err := netip.ParsePrefix(sites[j].Subnet)
			if err == nil && a.Overlaps(b) {
				v.add(field.Invalid(p.Index(i).Child("subnet"), sites[i].Subnet, fmt.Sprintf("overlaps with %s of site %s", sites[j].Subnet, sites[j].Name)))
			}
		}
	}
}

// lastAddr is the broadcast address of an IPv4 prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(a)
}
