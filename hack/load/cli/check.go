// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/hack/load/check"
)

func newCheck(o *options) *cobra.Command {
	var opts check.Options
	var ledger, bookings string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Compare what was promised with what receivers got and databases hold",
		Long: `check reads the records of a run that has ended and exits with 1 when the system broke a promise: acknowledged
messages or bookings that are lost, deliveries after settling, wrong receivers or bodies, slots booked twice. What had no
clear answer may have happened or not. It sorts on disk what does not fit into memory, so runs of days can be checked.`,
		Example: `  load check --messages /tmp/run/messages
  load check --messages /tmp/run/messages --ledger "postgres://app@127.0.0.1:5432/app" --late 5m -o json
  load check --bookings /tmp/run/bookings --booked "postgres://app@127.0.0.1:5432/app"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := problems(atLeastOne(opts), orphan("ledger", ledger, "messages", opts.Messages), orphan("booked", bookings, "bookings", opts.Bookings)); err != nil {
				return err
			}
			if ledger != "" {
				opts.Ledger = check.Ledger(ledger)
			}
			if bookings != "" {
				opts.Booked, opts.Taken = check.Booked(bookings)
			}
			r, err := check.Run(cmd.Context(), opts)
			if err != nil {
				return err
			}
			if err := o.print(r); err != nil {
				return err
			}
			if r.Bad() {
				return errors.New("promises were broken")
			}
			return nil
		},
	}
	p := cmd.Flags()
	folders(cmd, &opts)
	p.StringVar(&ledger, "ledger", "", "URL of the message ledger's database, to compare with it too")
	p.StringVar(&bookings, "booked", "", "URL of the booking service's database, to compare with it too")
	p.DurationVar(&opts.Late, "late", 0, "longest time allowed from acknowledgement to first delivery; 0s for any")
	return cmd
}

func newReport(o *options) *cobra.Command {
	var opts check.Options
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Rates, latencies and gaps of a run, from its record; judges nothing",
		Example: `  load report --messages /tmp/run/messages
  load report --bookings /tmp/run/bookings -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := problems(atLeastOne(opts)); err != nil {
				return err
			}
			r, err := check.Run(cmd.Context(), opts)
			if err != nil {
				return err
			}
			return o.print(times{r.Counts, r.Messages, r.Bookings, r.Deliver})
		},
	}
	folders(cmd, &opts)
	return cmd
}

func folders(cmd *cobra.Command, opts *check.Options) {
	p := cmd.Flags()
	p.StringVar(&opts.Messages, "messages", "", "folder with the record of messages")
	p.StringVar(&opts.Bookings, "bookings", "", "folder with the record of bookings")
	p.StringVar(&opts.Scratch, "scratch", "", "folder for sorting, as large as the record; the system's temporary folder when left out")
}

func atLeastOne(opts check.Options) error {
	if opts.Messages == "" && opts.Bookings == "" {
		return errors.New("--messages and --bookings are missing: expected the folder that --record named, for at least one")
	}
	return nil
}

func orphan(flag, value, other, otherValue string) error {
	if value != "" && otherValue == "" {
		return fmt.Errorf("--%s is given without --%s: expected both", flag, other)
	}
	return nil
}
