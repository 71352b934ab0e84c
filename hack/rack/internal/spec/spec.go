// SPDX-License-Identifier: Apache-2.0

// Package spec is the definition of a virtual rack: its sites, physical racks and hosts.
package spec

import (
	"fmt"
	"net/netip"
	"os"

	"sigs.k8s.io/yaml"
)

// DefaultMemoryMiB is the memory of a host that names none: enough for a control plane
// with the engines on it, and three of them fit a 24 GiB machine.
const DefaultMemoryMiB = 5120

// Rack is everything one `rack up` brings up.
type Rack struct {
	// Name tells racks apart: it is part of every bridge, cgroup and table name.
	Name string `json:"name"`
	// Sites are networks of their own, routed to each other by the outer machine.
	Sites []Site `json:"sites"`
}

// Site is one data centre: one subnet on one bridge.
type Site struct {
	// Name of the site, unique in the rack.
	Name string `json:"name"`
	// Subnet in CIDR form, IPv4, /16 to /28. Its first address is the gateway, where the
	// site's registry listens.
	Subnet string `json:"subnet"`
	// Bridge is the name of the Linux bridge; by default made from the rack's and the site's name.
	Bridge string `json:"bridge,omitempty"`
	// Hosts are the machines of the site.
	Hosts []Host `json:"hosts"`
}

// Host is one machine.
type Host struct {
	// Name is the host name, unique in the rack file.
	Name string `json:"name"`
	// Rack is the physical rack that holds the host: a failure domain.
	Rack string `json:"rack"`
	// Address of the host's interface host0, within the site's subnet.
	Address string `json:"address"`
	// BMC is the address of the host's Redfish service, within the site's subnet.
	BMC string `json:"bmc"`
	// MemoryMiB limits the machine's memory, in MiB, 512 to 1048576. Zero means DefaultMemoryMiB.
	MemoryMiB int `json:"memoryMiB,omitempty"`
	// Zone makes the host the name server of a zone that each site of the rack may update with
	// a key of its own, named after it. Empty for every other host.
	Zone string `json:"zone,omitempty"`
	// Autostart says whether `rack up` powers the host on. Nil means true.
	Autostart *bool `json:"autostart,omitempty"`
}

// Starts reports whether `rack up` powers the host on.
func (h Host) Starts() bool { return h.Autostart == nil || *h.Autostart }

// Gateway is the first address of the site's subnet. The site must be valid.
func (s Site) Gateway() netip.Addr { return s.Prefix().Addr().Next() }

// Prefix is the site's subnet, parsed. It panics on a site that Validate refuses.
func (s Site) Prefix() netip.Prefix { return netip.MustParsePrefix(s.Subnet) }

// Host finds a host by name, with its site.
func (r Rack) Host(name string) (Host, Site, bool) {
	for _, s := range r.Sites {
		for _, h := range s.Hosts {
			if h.Name == name {
				return h, s, true
			}
		}
	}
	return Host{}, Site{}, false
}

// Hosts lists the hosts of all sites in file order.
func (r Rack) Hosts() []Host {
	var out []Host
	for _, s := range r.Sites {
		out = append(out, s.Hosts...)
	}
	return out
}

// Decode reads a rack definition strictly (an unknown or repeated key is an error), fills in
// defaults and validates. source names the origin in errors.
func Decode(data []byte, source string) (Rack, error) {
	var r Rack
	if err := yaml.UnmarshalStrict(data, &r); err != nil {
		return Rack{}, fmt.Errorf("%s: %w", source, err)
	}
	r.applyDefaults()
	if errs := r.Validate(); len(errs) > 0 {
		return Rack{}, &InvalidError{Source: source, Errs: errs}
	}
	return r, nil
}

// Load reads a rack definition file.
func Load(path string) (Rack, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Rack{}, fmt.Errorf("rack definition: %w", err)
	}
	return Decode(data, path)
}

// Encode writes the definition as YAML that Decode reads back.
func (r Rack) Encode() ([]byte, error) { return yaml.Marshal(r) }

func (r *Rack) applyDefaults() {
	for i := range r.Sites {
		s := &r.Sites[i]
		if s.Bridge == "" {
			s.Bridge = defaultBridge(r.Name, s.Name, len(r.Sites))
		}
		for j := range s.Hosts {
			if s.Hosts[j].MemoryMiB == 0 {
				s.Hosts[j].MemoryMiB = DefaultMemoryMiB
			}
		}
	}
}
