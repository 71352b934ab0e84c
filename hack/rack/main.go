// SPDX-License-Identifier: Apache-2.0

// Command rack runs virtual racks: Debian machines on one Linux host, wired into sites, each
// with a Redfish BMC. See `rack --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"spine.nhs.uk/controlplane/hack/rack/cli"
)

func main() {
	// Hosts' files get exactly the modes they are given.
	syscall.Umask(0o022)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
