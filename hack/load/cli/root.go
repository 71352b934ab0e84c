// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of load.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// options are what all commands share.
type options struct {
	output         string
	stdout, stderr io.Writer
}

// reporter is what every command prints in the end.
type reporter interface{ Write(io.Writer) error }

// print writes a report in the form that was asked for.
func (o *options) print(r reporter) error {
	if o.output == "json" {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.Write(o.stdout)
}

// every says a line about each meter until the context ends.
func (o *options) every(ctx context.Context, interval time.Duration, line func() string) {
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Progress is for people who watch: losing a line changes no result.
			_, _ = fmt.Fprintln(o.stderr, line())
		}
	}
}

// Run executes a command line and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(&options{stdout: stdout, stderr: stderr})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(stderr, "load: %v\n", err)
		return exitUsage
	default:
		_, _ = fmt.Fprintf(stderr, "load: %v\n", err)
		return exitFailure
	}
}

func newRoot(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "load",
		Short: "Put load on the messaging and booking services, and check what they promised",
		Long: `load sends messages and makes bookings at times that do not depend on the answers (an open loop), measures
latency from the intended start, and keeps its own record of every acknowledgement. "load check" afterwards compares
that record with what receivers got and with what the databases hold.

The folder of --clients holds ca.crt, mailboxes.yaml, and LOAD001.crt and .key for each mailbox LOAD001, LOAD002, ...`,
		Example: `  load messages --url https://10.90.0.101:8444 --clients ~/.local/share/spine/clients --rate 1000 --duration 5m --record /tmp/run
  load bookings --url https://10.90.0.101:8445 --clients ~/.local/share/spine/clients --rate 50 --duration 5m --record /tmp/run
  load check --messages /tmp/run/messages --bookings /tmp/run/bookings
  load loopback                     the services on this machine alone, to try things out`,
		SilenceUsage: true, SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see `load --help`", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&o.output, "output", "o", "text", "form of the result: text or json")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if o.output != "text" && o.output != "json" {
			return usageError{fmt.Errorf("--output %q: expected text or json", o.output)}
		}
		return nil
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())}
	})
	root.CompletionOptions.DisableDescriptions = true
	root.AddCommand(newMessages(o), newBookings(o), newReceive(o), newPlain(o), newProvider(o), newCheck(o), newReport(o), newLoopback(o))
	return root
}

// noArgs makes an argument too many a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is one argument too many; see `%s --help`", args[0], cmd.CommandPath())}
	}
	return nil
}

// problems joins what is wrong with a command line; nil when nothing is.
func problems(all ...error) error {
	if err := errors.Join(all...); err != nil {
		return usageError{err}
	}
	return nil
}

// need says which flag is missing.
func need(flag, value, what string) error {
	if value == "" {
		return fmt.Errorf("--%s is missing: expected %s", flag, what)
	}
	return nil
}

// within says that a number is out of its range.
func within[T int | float64](flag string, value, low, high T) error {
	if value < low || value > high {
		return fmt.Errorf("--%s %v: expected %v to %v", flag, value, low, high)
	}
	return nil
}

// positive says that a time is not above zero.
func positive(flag string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("--%s %s: expected a time above 0", flag, d)
	}
	return nil
}

func nameServerFlag(p *pflag.FlagSet, server *string) {
	p.StringVar(server, "name-server", "", "HOST:PORT of who is asked where the URL's host is, at each connection anew")
}

// nameServer says that an address is none.
func nameServer(value string) error {
	if value == "" {
		return nil
	}
	if host, port, err := net.SplitHostPort(value); err != nil || host == "" || port == "" {
		return fmt.Errorf("--name-server %q: expected HOST:PORT, such as 10.99.0.11:53", value)
	}
	return nil
}
