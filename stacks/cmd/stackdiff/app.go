// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/audit/render"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// app is what all commands share.
type app struct {
	out, err io.Writer
	now      func() time.Time
	rules    []policy.Rule
	// root is the checkout, where Pulumi.yaml is.
	root string

	format, prices, stack, configFile string
	// At most one of these is set: what is previewed, when it is no update. The last is the file of what is imported.
	destroy, refresh bool
	imports          string
	// Saved input, in place of a run of the engine.
	events      []string
	plan, state string
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "stackdiff",
		Short: "What a change of infrastructure means, before it is made and after",
		Long: `stackdiff says what a change means: by risk (data loss, exposure, availability, residency, identity, cost), in
words, judged by the same rules that judge the real update, with what it costs a month. Secrets are never shown.

It runs "pulumi preview" and changes nothing. With --events it reads what an earlier run wrote.`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.check() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.format, "output", "o", "text", "form of the report: "+strings.Join(render.Formats(), ", "))
	flags.StringVar(&a.prices, "prices", "", "price book to use in place of the one built in: a JSON file of the same form")
	must(root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(render.Formats(), cobra.ShellCompDirectiveNoFileComp)))
	root.AddCommand(a.previewCommand(), a.matrixCommand(), a.historyCommand(), a.driftCommand(), a.costCommand(), a.schemaCommand())
	return root
}

// check refuses a wrong format before a preview is spent on it.
func (a *app) check() error {
	return render.Report(io.Discard, a.format, &audit.Report{Environments: []audit.Environment{}})
}

func must(err error) {
	if err != nil {
		panic(err) // The flag's name is wrong, in this program.
	}
}

// context is what reports are made with. Known are secrets in plain text, to be found wherever they turn up.
func (a *app) context(known []string) (audit.Context, error) {
	book := cost.Published()
	if a.prices != "" {
		text, err := os.ReadFile(a.prices)
		if err != nil {
			return audit.Context{}, err
		}
		if book, err = cost.Parse(text); err != nil {
			return audit.Context{}, fmt.Errorf("%s: %w", a.prices, err)
		}
	}
	return audit.Context{Book: book, Rules: a.rules, Secrets: audit.NewSecrets(known), Now: a.now()}, nil
}

// write shows the report, whole or not at all, and says whether anything in it is wrong.
func (a *app) write(kind audit.Kind, environments ...audit.Environment) error {
	report := &audit.Report{Version: audit.Version, Kind: kind, Environments: environments}
	var b bytes.Buffer
	if err := render.Report(&b, a.format, report); err != nil {
		return err
	}
	if _, err := a.out.Write(b.Bytes()); err != nil {
		return err
	}
	for _, e := range environments {
		if e.Error != "" || e.Rules != nil && e.Rules.Blocks || kind == audit.Drifted && len(e.Difference.Changes) > 0 {
			return errWrong
		}
	}
	return nil
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "The JSON Schema of -o json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(audit.Schema)
			return err
		},
	}
}

// addStack adds the flags of commands about one stack.
func (a *app) addStack(c *cobra.Command) {
	c.Flags().StringVarP(&a.stack, "stack", "s", os.Getenv("PULUMI_STACK"), "the environment's stack (default: PULUMI_STACK)")
	c.Flags().StringVar(&a.configFile, "config-file", "", "the stack's config file, when it is not in environments/")
	must(c.RegisterFlagCompletionFunc("stack", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		names, err := a.environments()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}))
}

// addSaved adds the flags of saved input.
func (a *app) addSaved(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.events, "events", nil, "read this event log (pulumi ... --event-log FILE, or preview --json) and run nothing")
	c.Flags().StringVar(&a.plan, "plan", "", "with --events: the update plan saved by the same preview, for what depends on what")
	c.Flags().StringVar(&a.state, "state", "", "with --events: the output of pulumi stack export, for what depends on what")
}

// saved reads one event log, with the plan and state that belong to it.
func (a *app) saved(path string) (*engine.Preview, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := engine.ReadPreview(path, text)
	if err != nil {
		return nil, err
	}
	if a.stack != "" && p.Stack != "" && p.Stack != a.stack {
		return nil, fmt.Errorf("%s is of the stack %s, not of %s: give that stack's, or leave out -s", path, p.Stack, a.stack)
	}
	return p, a.addDependencies(p)
}

func (a *app) addDependencies(p *engine.Preview) error {
	if a.plan != "" {
		text, err := os.ReadFile(a.plan)
		if err != nil {
			return err
		}
		if err := p.AddPlan(a.plan, text); err != nil {
			return err
		}
	}
	if a.state == "" {
		return nil
	}
	text, err := os.ReadFile(a.state)
	if err != nil {
		return err
	}
	d, err := engine.ReadDeployment(a.state, text)
	if err != nil {
		return err
	}
	return p.AddState(d)
}

// oneLog returns the path of the only event log that was given.
func (a *app) oneLog() (string, error) {
	if len(a.events) > 1 {
		return "", errors.New("--events was given several times: `stackdiff matrix` reads several logs")
	}
	return a.events[0], nil
}

// operation is what is previewed; empty for an update.
func (a *app) operation() string {
	switch {
	case a.destroy:
		return "destroy"
	case a.refresh:
		return "refresh"
	case a.imports != "":
		return "import"
	}
	return ""
}

// chosen is the stack that the command is about.
func (a *app) chosen() (string, error) {
	if a.stack == "" {
		return "", errors.New("which environment? Give its stack by -s, or set PULUMI_STACK (`pulumi stack ls` lists them)")
	}
	return a.stack, nil
}
