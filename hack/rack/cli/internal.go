// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/daemon"
	"spine.nhs.uk/controlplane/hack/rack/internal/lifecycle"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
)

// internalCommands are what rack runs itself as in the background.
func internalCommands(o *options) []*cobra.Command {
	serve := &cobra.Command{
		Use: lifecycle.DaemonCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := running(o)
			if err != nil {
				return err
			}
			program, err := r.DaemonProgram()
			if err != nil {
				return err
			}
			if err := daemon.Record(r.Folder, program); err != nil {
				return err
			}
			d := &daemon.Daemon{
				Rack: r.Def, Folder: r.Folder, Cache: r.Cache, Cgroups: r.Cgroups,
				Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
			}
			return d.Run(cmd.Context())
		},
	}
	launch := &cobra.Command{
		Use: machine.LaunchCommand, Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := running(o)
			if err != nil {
				return err
			}
			m, err := r.Machine(args[0])
			if err != nil {
				return err
			}
			return m.Launch(cmd.Context())
		},
	}
	boot := &cobra.Command{
		Use: machine.BootCommand, Hidden: true, Args: cobra.MinimumNArgs(2), DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error { return machine.Boot(args[0], args[1:]) },
	}
	return []*cobra.Command{serve, launch, boot}
}
