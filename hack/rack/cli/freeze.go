// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
)

func newFreeze(o *options) *cobra.Command {
	return onMachine(o, &cobra.Command{
		Use:   "freeze HOST",
		Short: "Stop all processes of a host, as one that hangs",
		Long: `freeze sends SIGSTOP to every process of a host. It keeps its power and its network: its kernel
takes connections, and no program speaks. ` + "`rack thaw`" + ` lets it go on as if no time had passed.`,
		Example: `  rack freeze a`,
	}, "freezing a host", machine.Machine.Freeze)
}

func newThaw(o *options) *cobra.Command {
	return onMachine(o, &cobra.Command{
		Use:     "thaw HOST",
		Short:   "Let a frozen host go on",
		Example: `  rack thaw a`,
	}, "thawing a host", machine.Machine.Thaw)
}

// onMachine completes a command that does something, named for errors, to one host.
func onMachine(o *options, c *cobra.Command, doing string, do func(machine.Machine, context.Context) error) *cobra.Command {
	c.Args, c.ValidArgsFunction = args(cobra.ExactArgs(1)), completeHosts(o, 1)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireRoot(doing); err != nil {
			return err
		}
		r, err := running(o)
		if err != nil {
			return err
		}
		m, err := r.Machine(args[0])
		if err != nil {
			return err
		}
		return do(m, cmd.Context())
	}
	return c
}
