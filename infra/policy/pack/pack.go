// SPDX-License-Identifier: Apache-2.0

// Package pack is all rules.
package pack

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
	"spine.nhs.uk/controlplane/infra/policy/aws"
	"spine.nhs.uk/controlplane/infra/policy/baremetal"
	"spine.nhs.uk/controlplane/infra/policy/estate"
	"spine.nhs.uk/controlplane/infra/policy/kubernetes"
)

// Rules are all rules, in the order in which reports explain them.
func Rules() []policy.Rule {
	return slices.Concat(estate.Rules(), baremetal.Rules(), kubernetes.Rules(), aws.Rules())
}
