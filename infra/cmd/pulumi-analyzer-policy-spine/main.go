// SPDX-License-Identifier: Apache-2.0

// Command pulumi-analyzer-policy-spine runs the project's rules inside `pulumi
// preview` and `pulumi up`, as a policy pack. The engine starts it, with its own
// address as the first argument.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"spine.nhs.uk/controlplane/infra/policy/analyzer"
	"spine.nhs.uk/controlplane/infra/policy/pack"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-analyzer-policy-spine:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("the engine's address is missing: Pulumi starts this program, " +
			"`pulumi preview --policy-pack infra/cmd/pulumi-analyzer-policy-spine`")
	}
	cancel := make(chan bool)
	// The engine may die without a word.
	if err := rpcutil.Healthcheck(ctx, args[0], 5*time.Minute, func() { close(cancel) }); err != nil {
		return fmt.Errorf("the engine at %s does not answer: %w", args[0], err)
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterAnalyzerServer(s, analyzer.New(pack.Rules(), time.Now()))
			return nil
		},
	})
	if err != nil {
		return err
	}
	// The engine waits for the port.
	fmt.Println(handle.Port)
	return <-handle.Done
}
