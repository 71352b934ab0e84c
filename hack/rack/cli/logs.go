// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// followPoll is how often a followed log is looked at for more.
const followPoll = 200 * time.Millisecond

func newLogs(o *options) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs HOST|daemon",
		Short: "Show a host's console or the daemon's log",
		Example: `  rack logs a
  rack logs daemon -f`,
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: completeHosts(o, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := running(o)
			if err != nil {
				return err
			}
			path := r.Folder.DaemonLog()
			if args[0] != "daemon" {
				m, err := r.Machine(args[0])
				if err != nil {
					return err
				}
				path = r.Folder.Host(m.Host.Name).Console()
			}
			return show(cmd.Context(), os.Stdout, path, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as the log grows")
	return cmd
}

// show copies a log file, and its growth if asked, starting again where it was cut off.
func show(ctx context.Context, w io.Writer, path string, follow bool) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nothing logged yet: %w", err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var read int64
	for {
		n, err := io.Copy(w, f)
		if err != nil {
			return err
		}
		read += n
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPoll):
		}
		if info, err := f.Stat(); err == nil && info.Size() < read {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			read = 0
		}
	}
}
