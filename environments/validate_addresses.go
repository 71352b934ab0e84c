// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateAddresses checks hosts', controllers' and shared addresses, each of
// which may exist once.
func (e *Environment) validateAddresses() field.ErrorList {
	var errs field.ErrorList
	owner := map[netip.Addr]string{}
	claim := func(p *field.Path, text, what string, inSubnet bool) {
		a, err := ipv4(p, text)
		if err != nil {
			errs = append(errs, err)
			return
		}
		if other, taken := owner[a]; taken {
			errs = append(errs, field.Invalid(p, text, "this is the address of "+other+" too: every address may be used once"))
			return
		}
		owner[a] = what
		if s := e.subnet(); inSubnet && s.IsValid() && !usable(s, a) {
			errs = append(errs, field.Invalid(p, text, "must be an address of site.subnet "+e.Site.Subnet))
		}
	}
	for i, h := range e.Hosts {
		p := field.NewPath("hosts").Index(i)
		claim(p.Child("address"), h.Address, "host "+h.Name, true)
		if h.BMC != nil {
			claim(p.Child("bmc", "address"), h.BMC.Address, "the BMC of host "+h.Name, false)
		}
	}
	endpoint, edge := field.NewPath("endpoint"), field.NewPath("edge")
	claim(endpoint.Child("address"), e.Endpoint.Address, "endpoint.address", true)
	claim(edge.Child("address"), e.Edge.Address, "edge.address", true)
	for _, msg := range validation.IsDNS1123Subdomain(e.Endpoint.Name) {
		errs = append(errs, field.Invalid(endpoint.Child("name"), e.Endpoint.Name, msg))
	}
	if a, b := RouterID(e.Endpoint.Address), RouterID(e.Edge.Address); a != 0 && a == b && e.Endpoint.Address != e.Edge.Address {
		errs = append(errs, field.Invalid(edge.Child("address"), e.Edge.Address,
			"must differ from endpoint.address in its last byte, which identifies a shared address on the subnet"))
	}
	errs = append(errs, routable(endpoint.Child("address"), e.Endpoint.Address)...)
	return append(errs, routable(edge.Child("address"), e.Edge.Address)...)
}

func routable(p *field.Path, address string) field.ErrorList {
	if a, err := netip.ParseAddr(address); err == nil && a.Is4() && RouterID(address) == 0 {
		return field.ErrorList{field.Invalid(p, address, "its last byte identifies it on the subnet and must be 1 to 255")}
	}
	return nil
}

// RouterID is the VRRP router ID of a shared address: its last byte, 1 to 255.
// Zero if the text is no IPv4 address, or ends in zero. Shared addresses of
// several environments on one subnet differ in it as long as the subnet is no
// larger than a /24.
func RouterID(address string) int {
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return 0
	}
	return int(a.As4()[3])
}

func (e *Environment) validateKubernetes(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	k := e.Kubernetes
	if k.Version == "" {
		errs = append(errs, field.Required(p.Child("version"), "an exact release such as v1.36.3"))
	} else if !versionPattern.MatchString(k.Version) {
		errs = append(errs, field.Invalid(p.Child("version"), k.Version, "must be an exact release such as v1.36.3"))
	}
	pods, podErrs := ipv4Prefix(p.Child("podCIDR"), k.PodCIDR)
	services, serviceErrs := ipv4Prefix(p.Child("serviceCIDR"), k.ServiceCIDR)
	errs = append(append(errs, podErrs...), serviceErrs...)
	if pods.IsValid() && (pods.Bits() > 24 || 1<<(24-pods.Bits()) < len(e.Hosts)) {
		errs = append(errs, field.Invalid(p.Child("podCIDR"), k.PodCIDR, fmt.Sprintf("too small: %d hosts take a /24 each", len(e.Hosts))))
	}
	if services.IsValid() && (services.Bits() < 12 || services.Bits() > 24) {
		errs = append(errs, field.Invalid(p.Child("serviceCIDR"), k.ServiceCIDR, "must be a /12 to /24"))
	}
	for _, msg := range validation.IsDNS1123Subdomain(k.DNSDomain) {
		errs = append(errs, field.Invalid(p.Child("dnsDomain"), k.DNSDomain, msg))
	}
	return append(errs, overlaps([]named{
		{field.NewPath("site", "subnet"), e.subnet()}, {p.Child("podCIDR"), pods}, {p.Child("serviceCIDR"), services},
	})...)
}

type named struct {
	path   *field.Path
	prefix netip.Prefix
}

func overlaps(ranges []named) field.ErrorList {
	var errs field.ErrorList
	for i, b := range ranges {
		for _, a := range ranges[:i] {
			if a.prefix.IsValid() && b.prefix.IsValid() && a.prefix.Overlaps(b.prefix) {
				errs = append(errs, field.Invalid(b.path, b.prefix.String(), fmt.Sprintf("overlaps %s %s", a.path, a.prefix)))
			}
		}
	}
	return errs
}
