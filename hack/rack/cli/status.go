// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"spine.nhs.uk/controlplane/hack/rack/internal/daemon"
	"spine.nhs.uk/controlplane/hack/rack/internal/lifecycle"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
)

// output is the -o flag.
type output string

func (f *output) register(cmd *cobra.Command) {
	cmd.Flags().VarP(f, "output", "o", "output format: json, or nothing for a table")
}

func (f *output) String() string { return string(*f) }
func (f *output) Type() string   { return "format" }
func (f *output) Set(s string) error {
	if s != "json" {
		return fmt.Errorf("must be json")
	}
	*f = output(s)
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

func newStatus(o *options) *cobra.Command {
	var format output
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show a rack's hosts, addresses, power and partitions",
		Example: `  rack status
  rack status --rack e2e -o json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := lifecycle.Open(o.rack)
			if err != nil {
				return err
			}
			s, err := r.Status(cmd.Context(), daemon.BMCUser)
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(os.Stdout, s)
			}
			return printStatus(os.Stdout, s)
		},
	}
	format.register(cmd)
	return cmd
}

func printStatus(w io.Writer, s lifecycle.Status) error {
	if !s.Up {
		fmt.Fprintf(w, "Rack %s is not up.\n\n", s.Rack)
	}
	rows := [][]string{{"HOST", "SITE", "RACK", "ADDRESS", "BMC", "MEMORY", "POWER", "SSH"}}
	for _, h := range s.Hosts {
		ssh := "-"
		if h.SSH {
			ssh = "yes"
		} else if h.Power == machine.On {
			ssh = "no"
		}
		rows = append(rows, []string{h.Name, h.Site, h.Rack, h.Address, h.BMC, fmt.Sprintf("%dMi", h.MemoryMiB), string(h.Power), ssh})
	}
	if err := table(w, rows); err != nil || !s.Up {
		return err
	}
	fmt.Fprintln(w)
	for _, c := range s.Partitions {
		fmt.Fprintf(w, "Partition:  %s\n", c)
	}
	if !s.Daemon.Running {
		fmt.Fprintf(w, "Daemon:     not running: no BMC, no registry and no object store answers; `rack up --rack %s` starts it\n", s.Rack)
		return nil
	}
	fmt.Fprintf(w, "Daemon:     running, pid %d\n", s.Daemon.PID)
	for _, site := range s.Sites {
		fmt.Fprintf(w, "Registry:   https://%s (site %s, read-only)\n", site.Registry, site.Name)
	}
	if s.Registry.Push != "" {
		fmt.Fprintf(w, "Push to:    http://%s\n", s.Registry.Push)
	}
	for _, site := range s.Sites {
		fmt.Fprintf(w, "Objects:    https://%s (site %s, S3, bucket %s)\n", site.ObjectStore, site.Name, site.Bucket)
	}
	return nil
}

func newList() *cobra.Command {
	var format output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the racks that are up and those that could be",
		Example: `  rack list
  rack list -o json`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			entries, err := lifecycle.List()
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(os.Stdout, entries)
			}
			rows := [][]string{{"RACK", "UP", "HOSTS ON", "SITES"}}
			for _, e := range entries {
				up := "no"
				if e.Up {
					up = "yes"
				}
				rows = append(rows, []string{e.Rack, up, fmt.Sprintf("%d/%d", e.On, e.Hosts), strings.Join(e.Subnets, ", ")})
			}
			return table(os.Stdout, rows)
		},
	}
	format.register(cmd)
	return cmd
}
