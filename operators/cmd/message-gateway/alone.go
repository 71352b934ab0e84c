// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	kit "spine.nhs.uk/controlplane/operators/workloads/kit/alone"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
)

func newAlone() *cobra.Command {
	var o kit.Flags
	command := &cobra.Command{
		Use:   "alone",
		Short: "List messages that this site's ledger holds, and the one of the site that serves does not",
		Long: `List messages that the ledger of a site that lost its vote holds, and the one of the site that serves does not, or
not whole, as CSV, the newest first: message_id and accepted are what the sender was told; state is waiting (nobody has had
it), dead-lettered, or settled (its recipient has had it); sent_again is true when the same request came to the other site
since. What messages say is not listed. Neither ledger is changed.

Reported, as one JSON object: alone is how many there are; again, how many of them were sent again; listed, how many are in
the list (50,000 at most); first and last are when the oldest and the newest of them were accepted.

The exit code is 0 when both ledgers were read, whatever was found.`,
		Example: `  # What would be lost if this site's ledger were thrown away?
  message-gateway alone --here-dir=/etc/spine/database --peer-dir=/etc/spine/peer \
    --peer=postgres://site_reader@edge.west.example:5433/spine > missing.csv`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.Run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), ledger.Alone())
		},
	}
	o.Add(command.Flags())
	return command
}
