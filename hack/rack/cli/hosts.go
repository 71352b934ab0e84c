// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/daemon"
	"spine.nhs.uk/controlplane/hack/rack/internal/lifecycle"
	"spine.nhs.uk/controlplane/hack/rack/internal/sshx"
)

func newSSH(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh HOST [COMMAND...]",
		Short: "Log in to a host as root, or run a command there",
		Example: `  rack ssh a
  rack ssh a systemctl is-system-running
  rack ssh --rack e2e b -- journalctl -u containerd -n 20`,
		Args:              args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: completeHosts(o, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := running(o)
			if err != nil {
				return err
			}
			m, err := r.Machine(args[0])
			if err != nil {
				return err
			}
			command := args[1:]
			if len(command) > 0 && command[0] == "--" {
				command = command[1:] // as kubectl exec takes it, behind the name
			}
			if path, err := exec.LookPath("ssh"); err == nil {
				return runSSH(cmd.Context(), path, r, m.Host.Address, command)
			}
			client, err := sshx.New(r.Folder.SSHKey(), r.Folder.KnownHosts())
			if err != nil {
				return err
			}
			code, err := client.Run(cmd.Context(), m.Host.Address, command)
			if err == nil && code != 0 {
				return exitError{code}
			}
			return err
		},
	}
	// What follows the host belongs to the command on it.
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func runSSH(ctx context.Context, path string, r *lifecycle.Rack, address string, command []string) error {
	args := []string{
		"-F", "none", "-i", r.Folder.SSHKey(),
		"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + r.Folder.KnownHosts(), "-o", "LogLevel=ERROR",
		"root@" + address,
	}
	if len(command) > 0 {
		args = append(append(args, "--"), command...)
	}
	ssh := exec.CommandContext(ctx, path, args...)
	ssh.Stdin, ssh.Stdout, ssh.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := ssh.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitError{exit.ExitCode()}
	}
	return err
}

func newPower(o *options) *cobra.Command {
	actions := []string{"on", "off", "cycle", "status"}
	return &cobra.Command{
		Use:   "power on|off|cycle|status HOST",
		Short: "Switch a host on or off through its BMC",
		Long: `power works through the host's Redfish service, as for a real machine. off is pulling the
plug: nothing is shut down. For a graceful end, run poweroff or reboot on the host.`,
		Example: `  rack power status a
  rack power off b
  rack power cycle c --rack e2e`,
		Args: args(func(cmd *cobra.Command, got []string) error {
			if err := cobra.ExactArgs(2)(cmd, got); err != nil {
				return err
			}
			if !slices.Contains(actions, got[0]) {
				return fmt.Errorf("unknown action %q: one of %s", got[0], strings.Join(actions, ", "))
			}
			return nil
		}),
		ValidArgsFunction: func(cmd *cobra.Command, got []string, text string) ([]string, cobra.ShellCompDirective) {
			if len(got) == 0 {
				return actions, cobra.ShellCompDirectiveNoFileComp
			}
			return completeHosts(o, 2)(cmd, got, text)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := running(o)
			if err != nil {
				return err
			}
			m, err := r.Machine(args[1])
			if err != nil {
				return err
			}
			if args[0] == "status" {
				fmt.Println(m.State())
				return nil
			}
			if err := requireRoot("switching power"); err != nil {
				return err
			}
			return r.Power(cmd.Context(), args[1], lifecycle.PowerAction(args[0]), daemon.BMCUser)
		},
	}
}

func completeRacks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names, err := lifecycle.Names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return append(names, lifecycle.BuiltinNames()...), cobra.ShellCompDirectiveNoFileComp
}

// completeHosts offers host names for the argument at position upTo.
func completeHosts(o *options, upTo int) cobra.CompletionFunc {
	return func(_ *cobra.Command, got []string, _ string) ([]string, cobra.ShellCompDirective) {
		r, err := lifecycle.Open(o.rack)
		if err != nil || len(got) >= upTo {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, h := range r.Def.Hosts() {
			names = append(names, h.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
