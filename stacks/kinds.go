// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/stacks/cloud"
	"spine.nhs.uk/controlplane/stacks/site"
)

// kinds are what a stack can be, each built from the JSON of its environment.
var kinds = map[environments.Kind]func(ctx *pulumi.Context, environment []byte) error{
	environments.KindAWS:           cloud.Build,
	environments.KindBaremetalSite: site.Build,
}

func kindOf(kind environments.Kind) (func(*pulumi.Context, []byte) error, error) {
	if build, ok := kinds[kind]; ok {
		return build, nil
	}
	known := slices.Sorted(maps.Keys(kinds))
	if kind == "" {
		return nil, fmt.Errorf("spine:kind is missing from the stack's configuration: it is one of %q", known)
	}
	return nil, fmt.Errorf("spine:kind is %q: it must be one of %q", kind, known)
}
