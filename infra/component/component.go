// SPDX-License-Identifier: Apache-2.0

// Package component holds what components share: the cloud-neutral results
// that they pass on, their type tokens, and how one is registered.
package component

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Type is the token of a component. A token is part of every URN below it:
// changing one replaces resources unless an alias keeps the old.
type Type string

// The components.
const (
	TypeSite    Type = "spine:component:Site"
	TypeHosts   Type = "spine:component:Hosts"
	TypeCluster Type = "spine:component:Cluster"
	TypeAddons  Type = "spine:component:Addons"

	TypePlatform Type = "spine:component:Platform"
)

// Args can say what is wrong with them.
type Args interface {
	Validate() error
}

// Register checks the arguments and then registers the component. The caller
// creates children with pulumi.Parent(c), and ends with Done.
func Register(ctx *pulumi.Context, t Type, name string, args Args, c pulumi.ComponentResource, opts ...pulumi.ResourceOption) error {
	if err := args.Validate(); err != nil {
		return fmt.Errorf("%s %s: %w", t, name, err)
	}
	return ctx.RegisterComponentResource(string(t), name, c, opts...)
}

// Done tells the engine that the component has all its children.
func Done(ctx *pulumi.Context, c pulumi.ComponentResource, outputs pulumi.Map) error {
	return ctx.RegisterResourceOutputs(c, outputs)
}
