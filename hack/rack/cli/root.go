// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of rack.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// usageError is a mistake in the command line rather than in what it asks for.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError carries the exit code of a program that rack ran for its user.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// Run executes a command line and returns the exit code.
func Run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "rack: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(os.Stderr, "rack: %v\n", err)
		return exitFailure
	}
}

// options are what all commands share.
type options struct{ rack string }

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "rack",
		Short: "Run virtual racks: real Debian machines on one Linux host",
		Long: `rack boots Debian machines with systemd-nspawn on one Linux host, wires them into sites
and racks, gives each a Redfish BMC that really starts and stops it, and serves each site a
read-only image registry and an S3 object store. A rack needs root; several racks run side by side.`,
		Example: `  rack up                    bring the rack "local" up
  rack status                hosts, addresses, power
  rack ssh a                 a shell on host a
  rack power off b           pull the plug of host b
  rack freeze b              stop all its processes; rack thaw b lets them go on
  rack partition a r2        cut host a off from rack r2
  rack heal                  end all partitions
  rack down                  take everything away`,
		SilenceUsage: true, SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see `rack --help`", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&o.rack, "rack", cmp.Or(os.Getenv("SPINE_RACK"), "local"), "name of the rack; $SPINE_RACK if that is set")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())}
	})
	root.CompletionOptions.DisableDescriptions = true
	_ = root.RegisterFlagCompletionFunc("rack", completeRacks)
	root.AddCommand(newUp(o), newDown(o), newStatus(o), newList(), newSSH(o), newPower(o), newFreeze(o), newThaw(o), newPartition(o), newHeal(o), newLogs(o))
	root.AddCommand(internalCommands(o)...)
	return root
}

// args turns a wrong number of arguments into a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if err := check(cmd, got); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
