// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var versionPattern = regexp.MustCompile(`^v1\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$`)

func label(p *field.Path, s string) field.ErrorList {
	if s == "" {
		return field.ErrorList{field.Required(p, "a name of lower-case letters, digits and '-'")}
	}
	if validation.IsDNS1123Label(s) != nil {
		return field.ErrorList{field.Invalid(p, s, "must be at most 63 lower-case letters, digits and '-', with a letter or digit at each end")}
	}
	return nil
}

func shortName(p *field.Path, s string) field.ErrorList {
	if len(s) > maxShortName {
		return field.ErrorList{field.TooLong(p, s, maxShortName)}
	}
	return label(p, s)
}

func between(p *field.Path, v, least, most int) field.ErrorList {
	if v < least || v > most {
		return field.ErrorList{field.Invalid(p, v, fmt.Sprintf("must be %d to %d", least, most))}
	}
	return nil
}

func ipv4(p *field.Path, s string) (netip.Addr, *field.Error) {
	if s == "" {
		return netip.Addr{}, field.Required(p, "an IPv4 address")
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return netip.Addr{}, field.Invalid(p, s, "must be an IPv4 address such as 10.90.0.11")
	}
	return a, nil
}

func ipv4Prefix(p *field.Path, s string) (netip.Prefix, field.ErrorList) {
	if s == "" {
		return netip.Prefix{}, field.ErrorList{field.Required(p, "an IPv4 network such as 10.90.0.0/24")}
	}
	n, err := netip.ParsePrefix(s)
	if err != nil || !n.Addr().Is4() {
		return netip.Prefix{}, field.ErrorList{field.Invalid(p, s, "must be an IPv4 network such as 10.90.0.0/24")}
	}
	if n.Masked() != n {
		return n, field.ErrorList{field.Invalid(p, s, "has bits set beyond its length: did you mean "+n.Masked().String()+"?")}
	}
	return n, nil
}

// usable says whether a host can have the address: in the network, and neither
// its first nor its last address.
func usable(n netip.Prefix, a netip.Addr) bool {
	return n.Contains(a) && (n.Bits() >= 31 || a != n.Masked().Addr() && n.Contains(a.Next()))
}

func hostPort(p *field.Path, s string) field.ErrorList {
	if s == "" {
		return field.ErrorList{field.Required(p, "host:port, such as 10.90.0.1:5000")}
	}
	host, port, err := net.SplitHostPort(s)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || n < 1 || n > 65535 || validation.IsDNS1123Subdomain(host) != nil {
		return field.ErrorList{field.Invalid(p, s, "must be host:port without a scheme, such as 10.90.0.1:5000")}
	}
	return nil
}

// localFile accepts no relative path: its meaning would depend on the folder
// that Pulumi is started in.
func localFile(p *field.Path, s string) field.ErrorList {
	if s == "" || path.IsAbs(s) || strings.HasPrefix(s, "~/") {
		return nil
	}
	return field.ErrorList{field.Invalid(p, s, "must begin with \"/\" or \"~/\"")}
}

// projectFile accepts a path within the project's folder.
func projectFile(p *field.Path, s string) field.ErrorList {
	if clean := path.Clean(s); s == "" || path.IsAbs(s) || clean != s || strings.HasPrefix(clean, "..") {
		return field.ErrorList{field.Invalid(p, s, "must be a path within the project's folder")}
	}
	return nil
}
