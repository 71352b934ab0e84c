// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"regexp"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

const stackReference = "pulumi:pulumi:StackReference"

// account finds the account in ARNs: the fifth part.
var account = regexp.MustCompile(`\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:([0-9]{12}):`)

// fenced finds stacks of the other kind, and accounts that are not the provider's.
func fenced(r policy.Resource, in policy.Environment) []policy.Finding {
	if r.Type == stackReference {
		n := r.Input("name")
		if !n.Hidden() && n.Text() != "" && policy.Live(n.Text()) != in.Live() {
			return []policy.Finding{n.Found("%s refers to stack %s across the fence", in.Stack, n.Text())}
		}
		return nil
	}
	own := r.Setting("allowedAccountIds", 0).Text()
	if own == "" || !strings.HasPrefix(r.Type, "aws:") {
		return nil
	}
	var found []policy.Finding
	r.Input().Each(func(n policy.Node) {
		if !strings.Contains(n.Text(), "arn:") {
			return
		}
		for _, m := range account.FindAllStringSubmatch(n.Text(), -1) {
			if m[1] != own {
				found = append(found, n.Found("refers to account %s, and the environment's is %s", m[1], own))
				return
			}
		}
	})
	return found
}

func explicitProvider(r policy.Resource, _ policy.Environment) []policy.Finding {
	if r.Provider != nil && strings.HasPrefix(r.Provider.Name, "default") {
		return []policy.Finding{{Message: "the resource has Pulumi's default provider " + r.Provider.Name}}
	}
	return nil
}
