// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	bookings "spine.nhs.uk/controlplane/operators/workloads/booking/store/restore"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	kit "spine.nhs.uk/controlplane/operators/workloads/kit/restore"
)

func restore() *cobra.Command {
	var o kit.Flags
	c := &cobra.Command{
		Use:   "restore",
		Short: "Compare a booking database restored to a point in time with the one before, and carry over what came since",
		Long: `Compare a booking database that was restored to a point in time, as a second database, with the one before, referral
by referral with its appointments, and write how many differ, as one JSON object: both are in both and alike; onlyFrom are
missing in the restored database though they were last changed before the point (it is no true copy unless there are
none); onlyTo are in the restored database alone: they were destroyed since; differing were changed since, but not by the
program: the restored database's version stands; after were made or changed by the program since, and are not so in the
restored database; last is when the newest change in the restored database was made. Nothing is changed.

With --carry, first bring the restored database to where the service can go on with it: all that the program changed since
the point, with slots, keys of repeated requests and unsent events. Do so before any switch to it, even when nothing came
after, and when no program runs on either database. What may have been changed since the point is compared then; after is 0
when all is there. carried were carried over by this run. displaced are bookings that were had back, but whose slot another
patient was given since: each is deferred to its provider, on the worklist of appointment slot issues. May be cut off
anywhere and run again.

The exit code is 0 when the comparison was made, whatever it found.`,
		Example: `  # How do they differ?
  booking-service restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z

  # Carry over what came since, with the report where Kubernetes reads a container's last words.
  booking-service restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z \
    --carry --report=/dev/termination-log`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return o.Run(ctx, c.OutOrStdout(), func(from, to database.Source, until time.Time) (kit.Report, error) {
				return restored(ctx, o.Carry, from, to, until)
			})
		},
	}
	o.Add(c.Flags(), "changed by the program")
	return c
}

func restored(ctx context.Context, carry bool, from, to database.Source, until time.Time) (kit.Report, error) {
	var found bookings.Comparison
	var carried bookings.Carried
	var err error
	if carry {
		if carried, err = bookings.CarryOver(ctx, from, to, until); err == nil {
			found, err = bookings.CompareSince(ctx, from, to, until)
		}
	} else {
		found, err = bookings.Compare(ctx, from, to, until)
	}
	report := kit.Report{
		Both: found.Both, OnlyFrom: found.OnlyFrom, OnlyTo: found.OnlyTo, Differing: found.Differing, After: found.After,
		Carried: carried.Referrals, Displaced: carried.Displaced,
	}
	if !found.Last.IsZero() {
		report.Last = found.Last.Format(time.RFC3339Nano)
	}
	return report, err
}
