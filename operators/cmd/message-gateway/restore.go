// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	kit "spine.nhs.uk/controlplane/operators/workloads/kit/restore"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
)

// restored are the flags of restore.
type restored struct {
	kit.Flags
	ahead bool
}

func newRestore() *cobra.Command {
	var o restored
	command := &cobra.Command{
		Use:   "restore",
		Short: "Compare a ledger restored to a point in time with the one before, and carry over what came since",
		Long: `Compare a ledger that was restored to a point in time, as a second database, with the one before, message by
message, and write how many differ, as one JSON object: both have them; onlyFrom are missing in the restored database
though they were accepted before the point (it is no true copy unless there are none); onlyTo and differing were destroyed
or changed since the point; after were accepted since and are only in the one before; carried were carried over by this
run; last is when the newest message of the restored database was accepted. Nothing is changed.

With --carry, first bring the restored database to where the gateways can go on with it: all messages accepted since the
point, with what became of them, and what is unsettled due for dispatch. Do so before any switch to it, even when nothing
came after, and for the last time when no gateway runs. What was accepted since the point is compared then; after is 0
when all is there. What was accepted before the point and settled since is delivered again, under the same message ID.

With --ahead, do what can be done of that while gateways run, so that --carry has little left to do: carried is all that
is reported. Both may be cut off anywhere and run again.

The exit code is 0 when the comparison was made, whatever it found.`,
		Example: `  # How do they differ?
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z

  # Carry over most of what came since, with the gateways running.
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z --ahead

  # Carry over the rest, with the report where Kubernetes reads a container's last words.
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z \
    --carry --report=/dev/termination-log`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.Run(c.Context(), c.OutOrStdout(), func(from, to database.Source, until time.Time) (kit.Report, error) {
				return restore(c.Context(), o, from, to, until)
			})
		},
	}
	o.Add(command.Flags(), "accepted")
	command.Flags().BoolVar(&o.ahead, "ahead", false, "carry over most of that while gateways run, and compare nothing")
	command.MarkFlagsMutuallyExclusive("carry", "ahead")
	return command
}

func restore(ctx context.Context, o restored, from, to database.Source, until time.Time) (kit.Report, error) {
	var found ledger.Comparison
	var carried ledger.Carried
	var err error
	switch {
	case o.ahead:
		carried, err = ledger.CarryAhead(ctx, from, to, until)
	case o.Carry:
		if carried, err = ledger.CarryOver(ctx, from, to, until); err == nil {
			found, err = ledger.CompareSince(ctx, from, to, until)
		}
	default:
		found, err = ledger.Compare(ctx, from, to, until)
	}
	report := kit.Report{
		Both: found.Both, OnlyFrom: found.OnlyFrom, OnlyTo: found.OnlyTo, Differing: found.Differing, After: found.After,
		Carried: carried.Messages,
	}
	if found.Last != 0 {
		report.Last = found.Last.At().Format(time.RFC3339Nano)
	}
	return report, err
}
