// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"
)

// app is what all commands work with.
type app struct {
	in       io.Reader
	out, err io.Writer
	// terminal says that a person sits at both ends: only then is anything asked.
	terminal bool
	// color is on for a terminal that wants it. It is never the only sign of anything.
	color bool
	// flags of kubectl: kubeconfig, context, namespace and the like.
	flags *genericclioptions.ConfigFlags
	// now is the clock.
	now func() time.Time
	// connect makes the client of a context; "" is the current one. It does not call the
	// API server.
	connect func(context string) (*site, error)
	// contexts lists the kubeconfig's, sorted.
	contexts func() ([]string, error)
	// output is the format that was asked for.
	output string
}

func newApp(in *os.File, out, err *os.File) *app {
	terminal := term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
	a := &app{
		in: in, out: out, err: err, terminal: terminal, now: time.Now, flags: genericclioptions.NewConfigFlags(true),
		color: term.IsTerminal(int(out.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
	// Each request has a deadline of its own; this one would end every watch as well.
	a.flags.Timeout = nil
	a.connect = a.dial
	a.contexts = a.kubeContexts
	return a
}

const longHelp = `See what is wrong, which page says what to do, and recover services and hosts: each operation is
planned first, shows what it will do and lose, is agreed to, and proves afterwards what happened.

Exit codes:
  0  all is well, or the operation succeeded
  1  the command failed: its error says why and what to do
  2  something is wrong, or the operation is blocked, failed or was aborted`

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "kubectl-spine",
		Short: "Look after Spine's services and recover them",
		Long:  longHelp,
		Example: `  # What is wrong, and which page says what to do
  kubectl spine status

  # Read the page
  kubectl spine explain BrokerUnavailable

  # Plan, read, agree, watch
  kubectl spine recover RestartRolling spine --part Gateway --reason 'INC0012345: memory grows'`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl spine"},
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	c.SetOut(a.out)
	c.SetErr(a.err)
	c.SetIn(a.in)
	a.flags.AddFlags(c.PersistentFlags())
	// The rest of kubectl's flags are taken, and not in the way of who reads the help at night.
	c.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		f.Hidden = !slices.Contains([]string{"kubeconfig", "context", "namespace", "as"}, f.Name)
	})
	c.AddCommand(a.statusCommand(), a.recoverCommand(), a.failoverCommand(), a.approveCommand(), a.watchCommand(), a.abortCommand(),
		a.explainCommand(), a.evidenceCommand(), a.reportCommand())
	for _, flag := range []string{"context", "namespace"} {
		complete := a.completeContext
		if flag == "namespace" {
			complete = completeNamespace
		}
		// The error says that there is no such flag, which the line above rules out.
		_ = c.RegisterFlagCompletionFunc(flag, complete)
	}
	return c
}

// Formats of -o.
const (
	formatTable    = "table"
	formatJSON     = "json"
	formatYAML     = "yaml"
	formatMarkdown = "markdown"
)

// outputFlag adds -o with these formats, of which the first is the default.
func (a *app) outputFlag(c *cobra.Command, formats ...string) {
	var asked string
	c.Flags().StringVarP(&asked, "output", "o", formats[0], "one of "+oneOf(formats))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	c.PreRunE = func(*cobra.Command, []string) error {
		for _, f := range formats {
			if asked == f {
				a.output = asked
				return nil
			}
		}
		return fmt.Errorf("--output: %q is not one of %s", asked, oneOf(formats))
	}
}

// structured says that the result is for a program; words for people then go to the error stream.
func (a *app) structured() bool { return a.output == formatJSON || a.output == formatYAML }

// words is where sentences for people go.
func (a *app) words() io.Writer {
	if a.structured() {
		return a.err
	}
	return a.out
}

// encode writes v as JSON or YAML, whichever was asked for.
func (a *app) encode(w io.Writer, format string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil && format == formatYAML {
		text, err = yaml.JSONToYAML(text)
	} else {
		text = append(text, '\n')
	}
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
