// SPDX-License-Identifier: Apache-2.0

// Package route53 sends clients to a site by the weights of records in a zone of Route 53. Each
// name has one weighted record for each site: where it leads (a balancer, or an address) and
// how long clients keep it is the business of whoever made it, and stays as it is.
//
// Where clients go says nothing of who may serve: Route 53 answers with a record that has no
// weight while health checks take out those that have some, and a site that is not active
// accepts nothing.
//
// All names go together with the epoch in one batch, which the zone takes as a whole. The
// batch deletes the epoch as it was read before it creates the next one, and Route 53 refuses
// to delete what is not there in exactly this form (API reference, ChangeResourceRecordSets):
// of two that send at once one wins and the other is told so.
package route53

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// TrafficConfig says which names lead to which records.
type TrafficConfig struct {
	// HostedZone is the zone's ID, as in Z0123456789ABCDEFGHIJ.
	HostedZone string `json:"hostedZone"`
	// Zone that it is: a fully qualified name in lower case.
	Zone string `json:"zone"`
	// Endpoint of Route 53; empty for its public name.
	Endpoint session.Endpoint `json:"endpoint,omitempty"`
	// Names that clients use, within the zone; 1 to 16. All of them go together.
	Names []string `json:"names"`
	// Sites are the set identifiers of the sites' weighted records, the same for each name, by
	// the name of the site.
	Sites map[string]string `json:"sites"`
}

var (
	zoneID = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)
	domain = regexp.MustCompile(`^(_?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+$`)
)

// Bounds of a set identifier in characters, and of a domain name without the closing dot.
const mostSet, mostDomain = 128, 253

// Validate returns all that is wrong.
func (c TrafficConfig) Validate() error {
	errs := []error{c.Endpoint.Validate()}
	if !zoneID.MatchString(c.HostedZone) {
		errs = append(errs, fmt.Errorf("hostedZone: %.80q must be the ID of a zone, as in Z0123456789ABCDEFGHIJ", c.HostedZone))
	}
	if !domain.MatchString(c.Zone) || len(c.Zone) > mostDomain {
		errs = append(errs, fmt.Errorf("zone: %.80q must be a fully qualified name in lower case like spine.example. with its last dot", c.Zone))
	}
	errs = append(errs, thirdplace.ValidateNames(c.Zone, c.Names, c.within)...)
	seen := map[string]bool{}
	for _, site := range slices.Sorted(maps.Keys(c.Sites)) {
		set := c.Sites[site]
		if !thirdplace.SiteName.MatchString(site) || set == "" || len(set) > mostSet || seen[set] {
			errs = append(errs, fmt.Errorf("sites.%s: %.80q must be the set identifier of the site's records, 1 to %d characters, that no other site has", site, set, mostSet))
		}
		seen[set] = true
	}
	if len(c.Sites) < 2 {
		errs = append(errs, fmt.Errorf("sites: %d of them: expected two or more", len(c.Sites)))
	}
	return errors.Join(errs...)
}

func (c TrafficConfig) within(name string) bool {
	return domain.MatchString(name) && len(name) <= mostDomain && (name == c.Zone || strings.HasSuffix(name, "."+c.Zone))
}
