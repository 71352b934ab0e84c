// SPDX-License-Identifier: Apache-2.0

// Command awsdouble is a stand-in for Pulumi's AWS plugin: it plans without an account. It holds inputs against the types
// of the SDK, says what would change or be replaced, and makes up identifiers. It makes nothing, and reaches nothing.
//
//	go build -o DIR/pulumi-resource-aws ./hack/awsdouble
//	PATH="DIR:$PATH" pulumi preview -s ers-dev
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

//go:generate go run ./gen -root ../.. -replaces replaces.txt -o table/table.json

const usage = `pulumi-resource-aws: a STAND-IN for Pulumi's AWS plugin, for plans without an account.

Pulumi starts it in place of the real plugin when its folder is first on PATH:

  go build -o /tmp/awsdouble/pulumi-resource-aws ./hack/awsdouble
  PATH="/tmp/awsdouble:$PATH" pulumi preview -s ers-dev

It checks inputs against the types of the SDK, says what would change or be replaced, and makes up identifiers, all
ending in ".invalid" or naming the account that the provider allows. It makes nothing and reaches nothing: a stack that was
"updated" with it exists in its state only. Use it with a backend of its own, never with an environment's.

  --version   the version of the SDK whose types it knows
`

func main() {
	flags := flag.NewFlagSet("pulumi-resource-aws", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	version := flags.Bool("version", false, "")
	// The engine may add flags of its tracing before its address.
	flags.String("tracing", "", "")
	flags.Bool("logtostderr", false, "")
	flags.String("v", "", "")
	if err := flags.Parse(os.Args[1:]); err != nil {
		os.Exit(2)
	}
	if *version {
		fmt.Println(table.Embedded().SDK)
		return
	}
	if err := serve(flags.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-aws (stand-in):", err)
		os.Exit(1)
	}
}

// engineCheck is how often to look whether the engine is still there: a pulumi that was killed cannot tell us.
const engineCheck = 2 * time.Second

func serve(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("the engine's address is missing: Pulumi starts this program; see --help")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := rpcutil.Healthcheck(ctx, args[0], engineCheck, cancel); err != nil {
		return fmt.Errorf("watch the engine at %s: %w", args[0], err)
	}
	done := make(chan bool)
	context.AfterFunc(ctx, func() { close(done) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: done,
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(srv, &server{table: table.Embedded()})
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
