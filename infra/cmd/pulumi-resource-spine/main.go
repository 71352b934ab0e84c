// SPDX-License-Identifier: Apache-2.0

// Command pulumi-resource-spine is the Pulumi provider "spine". The engine
// starts it, with its own address as the only argument.
package main

import (
	"context"
	"fmt"
	"os"

	"spine.nhs.uk/controlplane/infra/provider"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-spine:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	go exitWithParent(ctx, os.Getppid())
	p, err := provider.New(remote.NewClient())
	if err != nil {
		return err
	}
	return p.Run(ctx, provider.Name, provider.Version)
}
