// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// Traffic leads names to the edge of a site by their A records.
type Traffic struct{ dir string }

// NewTraffic reads its configuration, a TrafficConfig in config.yaml, from the folder for each
// question, so that a new key counts at once.
func NewTraffic(dir string) *Traffic { return &Traffic{dir: dir} }

var _ ports.TrafficDirector = (*Traffic)(nil)

// TrafficConfig says which names lead to which addresses.
type TrafficConfig struct {
	Config `json:",inline"`
	// Names that clients use, within the zone; 1 to 16. All of them go together.
	Names []string `json:"names"`
	// Sites are the IPv4 addresses of the sites' edges, by the name of the site.
	Sites map[string]string `json:"sites"`
	// TTLSeconds is how long clients may keep an answer, 1 to 900.
	TTLSeconds uint32 `json:"ttlSeconds"`
}

// Validate returns all that is wrong.
func (c TrafficConfig) Validate() error {
	errs := append([]error{c.Config.Validate()}, thirdplace.ValidateNames(c.Zone, c.Names, c.within)...)
	seen := map[string]bool{}
	for _, site := range slices.Sorted(maps.Keys(c.Sites)) {
		a, err := netip.ParseAddr(c.Sites[site])
		if !thirdplace.SiteName.MatchString(site) || err != nil || !a.Is4() || a.String() != c.Sites[site] || seen[c.Sites[site]] {
			errs = append(errs, fmt.Errorf("sites.%s: %q must be an IPv4 address that no other site has", site, c.Sites[site]))
		}
		seen[c.Sites[site]] = true
	}
	if len(c.Sites) < 2 {
		errs = append(errs, fmt.Errorf("sites: %d of them: expected two or more", len(c.Sites)))
	}
	if c.TTLSeconds < 1 || c.TTLSeconds > 900 {
		errs = append(errs, fmt.Errorf("ttlSeconds: %d: expected 1 to 900", c.TTLSeconds))
	}
	return errors.Join(errs...)
}

// Read returns the site that every name leads to.
func (t *Traffic) Read(ctx context.Context) (ports.Direction, error) {
	c, err := thirdplace.Load[TrafficConfig](t.dir)
	if err != nil {
		return ports.Direction{}, &ports.TrafficError{Err: err}
	}
	var out ports.Direction
	for i, name := range c.Names {
		records, err := c.read(ctx, name, dns.TypeA)
		if err != nil {
			return ports.Direction{}, &ports.TrafficError{Err: err}
		}
		site := ""
		if len(records) == 1 {
			site = c.siteOf(records[0].(*dns.A).A.String())
		}
		if i > 0 && site != out.Site {
			site = ""
		}
		out.Site = site
		for _, r := range records {
			out.Stay = max(out.Stay, time.Duration(r.Header().Ttl)*time.Second)
		}
		if site == "" {
			return ports.Direction{Stay: out.Stay}, nil
		}
	}
	return out, nil
}

func (c TrafficConfig) siteOf(address string) string {
	for site, a := range c.Sites {
		if a == address {
			return site
		}
	}
	return ""
}

// Send changes all names in one update, which the zone takes as a whole, unless an epoch
// above this one has been here.
func (t *Traffic) Send(ctx context.Context, site string, epoch int64) error {
	if err := t.send(ctx, site, epoch); err != nil {
		return &ports.TrafficError{Err: err}
	}
	return nil
}

func (t *Traffic) send(ctx context.Context, site string, epoch int64) error {
	c, err := thirdplace.Load[TrafficConfig](t.dir)
	if err != nil {
		return err
	}
	address, err := thirdplace.Target(c.Sites, site)
	if err != nil {
		return err
	}
	name := thirdplace.EpochName(c.Names)
	records, err := c.read(ctx, name, dns.TypeTXT)
	if err != nil {
		return err
	}
	var values []string
	for _, r := range records {
		values = append(values, r.(*dns.TXT).Txt...)
	}
	before, err := thirdplace.ReadEpoch(name, values)
	if err != nil {
		return err
	}
	if err := thirdplace.CheckEpoch(epoch, before); err != nil {
		return err
	}
	return c.update(ctx, func(m *dns.Msg) {
		if before == thirdplace.Before {
			m.RRsetNotUsed([]dns.RR{text(name, "")})
		} else {
			m.Used([]dns.RR{text(name, thirdplace.WriteEpoch(before))})
			m.RemoveRRset([]dns.RR{text(name, "")})
		}
		m.Insert([]dns.RR{text(name, thirdplace.WriteEpoch(epoch))})
		for _, name := range c.Names {
			a := &dns.A{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: c.TTLSeconds},
				A:   netip.MustParseAddr(address).AsSlice(),
			}
			m.RemoveRRset([]dns.RR{a})
			m.Insert([]dns.RR{a})
		}
	})
}
