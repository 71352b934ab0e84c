// SPDX-License-Identifier: Apache-2.0

// Command stacks is the Pulumi program of every environment. What it builds is
// chosen by the kind in the stack's configuration.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
)

// logged is the exit status that tells the engine that the error has been
// shown already: without it the same text would be printed twice.
const logged = 32

func main() {
	err := pulumi.RunErr(program)
	switch shown := (*shownError)(nil); {
	case err == nil:
	case errors.As(err, &shown):
		os.Exit(logged)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shownError has been shown to the user.
type shownError struct{ error }

func program(ctx *pulumi.Context) error {
	err := build(ctx)
	if err == nil {
		return nil
	}
	if logErr := ctx.Log.Error(message(err), nil); logErr != nil {
		return err
	}
	return &shownError{err}
}

func build(ctx *pulumi.Context) error {
	kind, _ := ctx.GetConfig("spine:kind")
	stack, err := kindOf(environments.Kind(kind))
	if err != nil {
		return err
	}
	environment, _ := ctx.GetConfig("spine:environment")
	return stack(ctx, []byte(environment))
}
