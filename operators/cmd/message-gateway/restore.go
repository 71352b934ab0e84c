// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
)

// restored are the flags of restore.
type restored struct {
	fromDir, toDir, until, report string
	ahead, carry                  bool
}

// restoreReport is what restore writes: counts of messages, and nothing of what they say or whose they are.
type restoreReport struct {
	// Both have the message, OnlyFrom should be in the restored database and are not, OnlyTo and Differing were destroyed
	// or changed since the point, After were accepted since and are not in the restored database.
	Both      int64 `json:"both"`
	OnlyFrom  int64 `json:"onlyFrom"`
	OnlyTo    int64 `json:"onlyTo"`
	Differing int64 `json:"differing"`
	After     int64 `json:"after"`
	// Carried over by this run.
	Carried int64 `json:"carried"`
	// Last is when the newest message of the restored database was accepted; empty when it has none.
	Last string `json:"last"`
}

func newRestore() *cobra.Command {
	var o restored
	command := &cobra.Command{
		Use:   "restore",
		Short: "Compare a ledger restored to a point in time with the one before, and carry over what came since",
		Long: `Compare a ledger that was restored to a point in time, as a second database, with the one before, message by
message, and write how many differ, as one JSON object: both have them; onlyFrom are missing in the restored database
though they were accepted before the point (it is no true copy unless there are none); onlyTo and differing were destroyed
or changed since the point; after were accepted since and are only in the one before; carried were carried over by this
run; last is when the newest message of the restored database was accepted. Nothing is changed.

With --carry, first bring the restored database to where the gateways can go on with it: all messages accepted since the
point, with what became of them, and what is unsettled due for dispatch. Do so before any switch to it, even when nothing
came after, and for the last time when no gateway runs. What was accepted since the point is compared then; after is 0
when all is there. What was accepted before the point and settled since is delivered again, under the same message ID.

With --ahead, do what can be done of that while gateways run, so that --carry has little left to do: carried is all that
is reported. Both may be cut off anywhere and run again.

The exit code is 0 when the comparison was made, whatever it found.`,
		Example: `  # How do they differ?
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z

  # Carry over most of what came since, with the gateways running.
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z --ahead

  # Carry over the rest, with the report where Kubernetes reads a container's last words.
  message-gateway restore --from-dir=/etc/spine/database --to-dir=/etc/spine/restored --until=2026-11-21T06:15:00Z \
    --carry --report=/dev/termination-log`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := restore(c.Context(), o, c.OutOrStdout()); err != nil {
				return errors.New("restore: " + oneLine(err))
			}
			return nil
		},
	}
	f := command.Flags()
	f.StringVar(&o.fromDir, "from-dir", "", "directory of the database before, with username, password, host, port, dbname, ca.crt")
	f.StringVar(&o.toDir, "to-dir", "", "the same of the restored database")
	f.StringVar(&o.until, "until", "", "the point in time that was restored, for example 2026-11-21T06:15:00Z (RFC 3339)")
	f.BoolVar(&o.carry, "carry", false, "carry over what was accepted after the point, then compare")
	f.BoolVar(&o.ahead, "ahead", false, "carry over most of that while gateways run, and compare nothing")
	command.MarkFlagsMutuallyExclusive("carry", "ahead")
	f.StringVar(&o.report, "report", "", "file for the report (default standard output)")
	return command
}

func restore(ctx context.Context, o restored, out io.Writer) error {
	until, err := o.point()
	if err != nil {
		return err
	}
	from, to := database.Dir(o.fromDir), database.Dir(o.toDir)
	if err := errors.Join(reached(ctx, "the database before", from), reached(ctx, "the restored database", to)); err != nil {
		return stopped(ctx, err)
	}
	var found ledger.Comparison
	var carried ledger.Carried
	switch {
	case o.ahead:
		carried, err = ledger.CarryAhead(ctx, from, to, until)
	case o.carry:
		if carried, err = ledger.CarryOver(ctx, from, to, until); err == nil {
			found, err = ledger.CompareSince(ctx, from, to, until)
		}
	default:
		found, err = ledger.Compare(ctx, from, to, until)
	}
	if err != nil {
		return stopped(ctx, err)
	}
	report := restoreReport{
		Both: found.Both, OnlyFrom: found.OnlyFrom, OnlyTo: found.OnlyTo, Differing: found.Differing, After: found.After,
		Carried: carried.Messages,
	}
	if found.Last != 0 {
		report.Last = found.Last.At().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if o.report != "" {
		return os.WriteFile(o.report, text, 0o644)
	}
	_, err = out.Write(text)
	return err
}

// reachWithin is how long a database may take to let this program in: the rules of a new pod's network are
// drawn up after it has begun, and until then every connection is refused.
const reachWithin = 2 * time.Minute

// reached waits until a database lets this program in.
func reached(ctx context.Context, what string, source database.Source) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	for {
		settings, err := source()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		conn, err := pgx.ConnectConfig(ctx, settings.ConnConfig)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		case <-time.After(time.Second):
		}
	}
}

// point is the time asked for; what is wrong with the flags is reported together.
func (o restored) point() (time.Time, error) {
	var errs []error
	if o.fromDir == "" {
		errs = append(errs, errors.New("--from-dir: expected the directory of the database before"))
	}
	if o.toDir == "" {
		errs = append(errs, errors.New("--to-dir: expected the directory of the restored database"))
	}
	until, err := time.Parse(time.RFC3339, o.until)
	if err != nil {
		errs = append(errs, fmt.Errorf("--until is %q: expected a time as 2026-11-21T06:15:00Z", o.until))
	} else if until.After(time.Now()) {
		errs = append(errs, fmt.Errorf("--until is %s: expected a time that has passed", o.until))
	}
	return until, errors.Join(errs...)
}

// stopped says what to do after SIGTERM, rather than which statement it came upon.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("stopped before it was done; run it again")
	}
	return err
}

// oneLine joins the lines of an error: several that were found together, or the addresses that a driver tried.
func oneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
