// SPDX-License-Identifier: Apache-2.0

package estate

import "spine.nhs.uk/controlplane/infra/policy"

// Package tags of infra writes these; policy is a program of its own, and repeats
// them: a test holds them together.
const (
	environmentTag = "spine.nhs.uk/environment"
	ownerTag       = "spine.nhs.uk/owner"
)

// owned looks for both facts where they enter: at an AWS provider's default tags, and
// on each Kubernetes object.
func owned(r policy.Resource, _ policy.Environment) []policy.Finding {
	if r.Type == awsProvider {
		return facts(r.Input("defaultTags", "tags"))
	}
	var found []policy.Finding
	for _, object := range r.Input("objects").Fields() {
		found = append(found, facts(object.At("metadata", "labels"))...)
	}
	return found
}

func facts(n policy.Node) []policy.Finding {
	return policy.Unmet(n, policy.IsSet(environmentTag), policy.IsSet(ownerTag))
}
