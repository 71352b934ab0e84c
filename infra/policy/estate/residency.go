// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"regexp"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

const awsProvider = "pulumi:providers:aws"

// home is the only region of AWS in which data may be.
const home = "eu-west-2"

// region finds regions in names, ARNs, addresses and availability zones.
var region = regexp.MustCompile(`\b(?:us|eu|uk|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-[1-9]`)

// mostText is the length up to which a text is looked at: references are shorter, and
// documents (certificates, descriptions of schemas) are not where data is.
const mostText = 2048

// residency looks at every text of AWS resources and Kubernetes objects.
func residency(r policy.Resource, _ policy.Environment) []policy.Finding {
	var found []policy.Finding
	if r.Type == awsProvider {
		if n := r.Input("region"); !n.Hidden() && n.Missing() {
			found = append(found, n.Found("the region is not set, and would be whatever the shell says"))
		}
	}
	r.Input().Each(func(n policy.Node) {
		s := n.Text()
		// All regions have two hyphens: that is quicker to see than the expression.
		if len(s) > mostText || strings.Count(s, "-") < 2 {
			return
		}
		for _, at := range region.FindAllString(s, -1) {
			if at != home {
				found = append(found, n.Found("refers to %s", at))
				return
			}
		}
	})
	return found
}
