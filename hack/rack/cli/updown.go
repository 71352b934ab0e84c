// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/lifecycle"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

func newUp(o *options) *cobra.Command {
	var file, rootfs string
	cmd := &cobra.Command{
		Use:   "up [-f FILE]",
		Short: "Bring a rack up, or complete one that is partly up",
		Long: `up lays the rack's network, installs its hosts, starts those that start by themselves, and
returns when each lets the rack's key in over SSH and every BMC, registry and object store answers.
On a rack that is up it starts what does not run and is done in a moment.`,
		Example: `  rack up
  rack up --rack e2e
  rack up -f myrack.yaml`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			def, err := definition(o, file, cmd.Flags().Changed("rack"))
			if err != nil {
				return err
			}
			r, err := lifecycle.ForUp(def.Name)
			if err != nil {
				return err
			}
			p := &lifecycle.Progress{Out: os.Stderr, Start: time.Now()}
			if err := r.Up(cmd.Context(), def, rootfs, p); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "rack %s is up after %.1f s\n", def.Name, time.Since(p.Start).Seconds())
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "rack definition; by default the built-in one of that name")
	cmd.Flags().StringVar(&rootfs, "rootfs", "", "root file system for new hosts; by default the newest in the cache")
	return cmd
}

// definition is the rack to bring up: from a file, from the rack that is up, or built in.
func definition(o *options, file string, named bool) (spec.Rack, error) {
	if file == "" {
		r, err := lifecycle.Open(o.rack)
		if err != nil {
			return spec.Rack{}, err
		}
		return r.Def, nil
	}
	def, err := spec.Load(file)
	if err != nil {
		return spec.Rack{}, err
	}
	if named && def.Name != o.rack {
		return spec.Rack{}, usageError{fmt.Errorf("--rack %s, but %s defines rack %s", o.rack, file, def.Name)}
	}
	return def, nil
}

func newDown(o *options) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Take a rack away: machines, network, disks",
		Long: `down ends the rack's machines and processes and removes its cgroups, mounts, links, packet
filters and files, by what it finds on the system: it works after any crash, and twice.`,
		Example: `  rack down
  rack down --rack e2e
  rack down --keep          leave the hosts' disks for the next up`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := lifecycle.ForDown(o.rack)
			if err != nil {
				return err
			}
			p := &lifecycle.Progress{Out: os.Stderr, Start: time.Now()}
			if err := r.Down(cmd.Context(), keep, p); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "rack %s is down after %.1f s\n", o.rack, time.Since(p.Start).Seconds())
			return nil
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the rack's folder with the hosts' disks")
	return cmd
}

// running opens a rack that has to be up.
func running(o *options) (*lifecycle.Rack, error) {
	return lifecycle.OpenRunning(o.rack)
}

func requireRoot(what string) error {
	if os.Geteuid() != 0 {
		return errors.New("not root: " + what + " needs root; run it with sudo")
	}
	return nil
}
