// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	kit "spine.nhs.uk/controlplane/operators/workloads/kit/alone"
)

func alone() *cobra.Command {
	var o kit.Flags
	c := &cobra.Command{
		Use:   "alone",
		Short: "List changes of referrals that this site has on record, and the site that serves has not",
		Long: `List changes of referrals that the database of a site that lost its vote has on record, and the one of the site that
serves has not, as CSV, the newest first: ubrn and version are what the change made; event is what it was, as the audit has
it; version_there is the version that the referral has at the other site, empty when it is not there. Nobody's name is
listed. Neither database is changed.

Reported, as one JSON object: alone is how many there are; listed, how many of them are in the list (50,000 at most); first
and last are when the oldest and the newest of them were made.

The exit code is 0 when both databases were read, whatever was found.`,
		Example: `  # What would be lost if this site's database were thrown away?
  booking-service alone --here-dir=/etc/spine/database --peer-dir=/etc/spine/peer \
    --peer=postgres://site_reader@edge.west.example:5434/booking > missing.csv`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return o.Run(ctx, c.OutOrStdout(), c.ErrOrStderr(), store.Alone())
		},
	}
	o.Add(c.Flags())
	return c
}
