// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
)

func (c *hostChecker) registry(property string, r Registry) {
	const expected = "a registry: expected host:port such as 10.90.0.1:5000, without https:// and path"
	c.match(property+".host", r.Host, registryHost, expected)
	for i, m := range r.Mirrors {
		c.match(fmt.Sprintf("%s.mirrors[%d]", property, i), m, registryHost, expected)
	}
	if r.CA == nil {
		return
	}
	if _, err := certificates(*r.CA); err != nil {
		c.fail(property+".ca", "%v", err)
	}
}

// certificates reads one or more PEM certificates and nothing else.
func certificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a PEM block %q: expected certificates only", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("holds no certificate: expected PEM text, \"-----BEGIN CERTIFICATE-----\"")
	}
	return out, nil
}

func (c *hostChecker) virtualAddresses(in HostArgs) {
	names, routers, addresses := map[string]bool{}, map[string]bool{}, map[string]bool{}
	once := func(property, what string, seen map[string]bool, key string) {
		if seen[key] {
			c.fail(property, "%s is used by another virtual address of this host: give each its own", what)
		}
		seen[key] = true
	}
	for i, v := range in.VirtualAddresses {
		at := fmt.Sprintf("virtualAddresses[%d]", i)
		c.match(at+".name", v.Name, dnsLabel, "a name: expected 1 to 63 lower-case letters, digits and dashes")
		c.match(at+".interface", v.Interface, interfaceName, "the name of a network interface")
		c.match(at+".checkURL", v.CheckURL, plainURL, "a URL such as https://127.0.0.1:6443/livez")
		if v.CheckCA != nil {
			c.match(at+".checkCA", *v.CheckCA, absolutePath, "an absolute path")
		}
		if v.RouterID < 1 || v.RouterID > 255 {
			c.fail(at+".routerID", "%d is out of range: expected 1 to 255", v.RouterID)
		}
		if v.Priority != nil && (*v.Priority < 1 || *v.Priority > maxPriority) {
			c.fail(at+".priority", "%d is out of range: expected 1 to %d", *v.Priority, maxPriority)
		}
		prefix, err := netip.ParsePrefix(v.Address)
		switch {
		case err != nil || !prefix.Addr().Is4():
			c.fail(at+".address", "%q is not an IPv4 address with prefix length: expected one such as 10.90.0.100/24", v.Address)
		case prefix.Addr().String() == in.Address:
			c.fail(at+".address", "%s is the host's own address: it has to be one that no host owns", v.Address)
		}
		once(at+".name", v.Name, names, v.Name)
		once(at+".routerID", fmt.Sprint(v.RouterID), routers, v.Interface+" "+fmt.Sprint(v.RouterID))
		once(at+".address", v.Address, addresses, prefix.Addr().String())
	}
}
