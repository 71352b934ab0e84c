// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/loopback"
)

func newLoopback(o *options) *cobra.Command {
	opts := loopback.Options{}
	cmd := &cobra.Command{
		Use:   "loopback",
		Short: "Run the services with real engines on this machine's loopback, to try things out",
		Long: `loopback builds the services' programs from this checkout and runs them with PostgreSQL and RabbitMQ on loopback,
with certificates of their own, until interrupted. It needs root, and SPINE_ENGINES as "go run ./hack/images engines" prints it.`,
		Example: `  export SPINE_ENGINES=$(go run ./hack/images engines)
  load loopback
  load loopback --dir /tmp/loopback --base-port 45040 --bookings=false`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLoopback(cmd.Context(), o, opts) },
	}
	p := cmd.Flags()
	p.StringVar(&opts.Dir, "dir", "", "empty folder for everything; a temporary one when left out")
	p.StringVar(&opts.Root, "root", ".", "checkout to build the programs from")
	p.IntVar(&opts.BasePort, "base-port", 0, "first of 8 ports to listen on; free ones when left out")
	p.BoolVar(&opts.Messages, "messages", true, "run the message gateway")
	p.BoolVar(&opts.Bookings, "bookings", true, "run the booking service")
	return cmd
}

func runLoopback(ctx context.Context, o *options, opts loopback.Options) (err error) {
	if opts.Dir == "" {
		if opts.Dir, err = os.MkdirTemp("", "load-loopback-*"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(opts.Dir)) }()
	}
	site, err := loopback.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	ledger, ledgerErr := site.DatabaseURL("messaging")
	booked, bookedErr := site.DatabaseURL("booking")
	if err := errors.Join(ledgerErr, bookedErr); err != nil {
		return err
	}
	lines := fmt.Sprintf("The services run; interrupt to end them. Everything is in %s\n", opts.Dir)
	if opts.Messages {
		lines += fmt.Sprintf(`  load messages --url %s --mesh-url %s --clients %s --record RECORD
  load check --messages RECORD --ledger %q
  operators' port: %s, with %s
`, site.BulkURL, site.MeshURL, site.Clients, ledger, site.OpsURL, filepath.Join(opts.Dir, "messaging", "tls"))
	}
	if opts.Bookings {
		lines += fmt.Sprintf("  load bookings --url %s --clients %s --record RECORD\n  load check --bookings RECORD --booked %q\n", site.BookingURL, site.Clients, booked)
	}
	if _, err := io.WriteString(o.stdout, lines); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
