// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"regexp"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

const stackReference = "pulumi:pulumi:StackReference"

// account finds the account in ARNs: the fifth part.
var account = regexp.MustCompile(`\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:([0-9]{12}):`)

// vault is where AWS Backup keeps recovery points.
const vault = "aws:backup/vault:Vault"

// fenced finds stacks of the other kind, and accounts in which the stack has no business:
// neither the resource's own, nor one in which the stack has a vault. Copies of backups go
// to another account by design, and both sides name each other.
func fenced(s policy.Stack) []policy.Finding {
	own := func(r policy.Resource) string { return r.Setting("allowedAccountIds", 0).Text() }
	var vaults []string
	for _, r := range s.Resources {
		if r.Type == vault && !r.Goes() {
			vaults = append(vaults, own(r))
		}
	}
	var found []policy.Finding
	for _, r := range s.Resources {
		switch {
		case r.Goes():
		case r.Type == stackReference:
			n := r.Input("name")
			if !n.Hidden() && n.Text() != "" && policy.Live(n.Text()) != s.Live() {
				f := n.Found("%s refers to stack %s across the fence", s.Stack, n.Text())
				f.URN = r.URN
				found = append(found, f)
			}
		case own(r) != "" && strings.HasPrefix(r.Type, "aws:"):
			for _, f := range strangers(r, own(r), vaults) {
				f.URN = r.URN
				found = append(found, f)
			}
		}
	}
	return found
}

// strangers finds the accounts in a resource that are none of those, one in each text.
func strangers(r policy.Resource, own string, vaults []string) []policy.Finding {
	var found []policy.Finding
	r.Input().Each(func(n policy.Node) {
		if !strings.Contains(n.Text(), "arn:") {
			return
		}
		for _, m := range account.FindAllStringSubmatch(n.Text(), -1) {
			if m[1] != own && !slices.Contains(vaults, m[1]) {
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
