// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
)

func newPartition(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "partition A B",
		Short: "Drop all traffic between two hosts, racks or sites",
		Long: `partition drops everything between the hosts of A and the hosts of B, both ways, until
` + "`rack heal`" + `. Gateways, registries and BMCs stay reachable. Partitions add up.`,
		Example: `  rack partition a b
  rack partition a r2
  rack partition --rack pair north south`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := requireRoot("a partition"); err != nil {
				return err
			}
			r, err := running(o)
			if err != nil {
				return err
			}
			cut := network.Cut{A: args[0], B: args[1]}
			if err := r.Partition(cmd.Context(), cut); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "cut: %s\n", cut)
			return nil
		},
	}
}

func newHeal(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "heal",
		Short:   "End all partitions of a rack",
		Example: `  rack heal`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := requireRoot("ending partitions"); err != nil {
				return err
			}
			r, err := running(o)
			if err != nil {
				return err
			}
			return r.Heal(cmd.Context())
		},
	}
}
