// SPDX-License-Identifier: Apache-2.0

// Command load puts load on the messaging and booking services, keeps its own record of what they promised, and checks
// afterwards whether they kept it. See `load --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"spine.nhs.uk/controlplane/hack/load/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
