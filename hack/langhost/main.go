// SPDX-License-Identifier: Apache-2.0

// Command pulumi-language-go is a small Pulumi language host for Go programs
// and providers, for machines without a Pulumi install, whose own host it
// stands in for. It builds a program when its source has changed and otherwise
// runs what it built before, which makes a preview seconds faster.
//
// The engine starts it with its own address as the last argument, and reads the
// port that it serves LanguageRuntime on from its first line of output.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// engineCheck is how often to look whether the engine is still there: a pulumi
// that was killed cannot tell us.
const engineCheck = 2 * time.Second

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-go:", err)
		os.Exit(1)
	}
}

// serve answers the engine until it goes away. Flags before the address concern
// tracing and logging, which this host does not do.
func serve(args []string) error {
	if len(args) == 0 {
		return errors.New("the engine's address is missing: this program is started by pulumi, not by hand")
	}
	engine := args[len(args)-1]
	// The engine interrupts its plugins first and expects them to end in time.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := rpcutil.Healthcheck(ctx, engine, engineCheck, cancel); err != nil {
		return fmt.Errorf("watch the engine at %s: %w", engine, err)
	}
	done := make(chan bool)
	context.AfterFunc(ctx, func() { close(done) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: done,
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(srv, &host{ctx: ctx, engine: engine})
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
