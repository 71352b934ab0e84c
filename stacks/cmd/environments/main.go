// SPDX-License-Identifier: Apache-2.0

// Command environments tells what the environments of this checkout are configured as:
// each value, and whether it came from the environment's file, its class, its tier or the
// defaults. It reads files and contacts nobody.
//
// Exit codes: 0 all is well, 1 the command failed or an environment is wrong.
package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

func main() {
	a := &app{out: os.Stdout, project: os.DirFS("."), book: cost.Published()}
	if err := a.run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "environments:", err)
		os.Exit(1)
	}
}

// app is what all commands share.
type app struct {
	out io.Writer
	// project is the checkout, where Pulumi.yaml is.
	project fs.FS
	book    *cost.Book

	format, stack string
}

var formats = []string{"text", "json"}

// run carries out one command.
func (a *app) run(args []string) error {
	root := &cobra.Command{
		Use:   "environments",
		Short: "What the environments of this checkout are configured as",
		Long: `environments reads environments/Pulumi.*.yaml and tells what each environment is configured as. It contacts nobody
and shows no secret.`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains(formats, a.format) {
				return fmt.Errorf("-o is %q: it must be one of %s", a.format, strings.Join(formats, ", "))
			}
			return nil
		},
	}
	root.SetOut(a.out)
	root.SetArgs(args)
	root.PersistentFlags().StringVarP(&a.format, "output", "o", "text", "form of the answer: "+strings.Join(formats, ", "))
	must(root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)))
	root.AddCommand(a.listCommand(), a.effectiveCommand())
	return root.Execute()
}

func must(err error) {
	if err != nil {
		panic(err) // The flag's name is wrong, in this program.
	}
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "All environments: class, tier, when it runs, and what it is for", Args: cobra.NoArgs,
		Example: "  go run ./stacks/cmd/environments list",
		RunE: func(*cobra.Command, []string) error {
			files, err := catalogue.Read(a.project)
			if err != nil {
				return err
			}
			rows, err := a.rows(files)
			if err != nil {
				return err
			}
			return a.writeList(rows)
		},
	}
}

func (a *app) effectiveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "effective", Short: "Every value of one environment, and where it came from", Args: catalogue.ByFlag,
		Long: `effective prints the whole configuration of one environment, and where each value came from: "file" (its
Pulumi.STACK.yaml), "class Live" and the like, "tier gold" and the like, or "default". What the file says holds; then what
the class says, then the tier. A problem in the environment is reported with all others, as "pulumi preview" would.`,
		Example: "  go run ./stacks/cmd/environments effective -s ers-live\n" +
			"  go run ./stacks/cmd/environments effective -s ers-live -o json | jq '.values[] | select(.origin != \"file\")'",
		RunE: func(*cobra.Command, []string) error {
			files, err := catalogue.Read(a.project)
			if err != nil {
				return err
			}
			f, err := a.chosen(files)
			if err != nil {
				return err
			}
			return a.effective(f, files)
		},
	}
	c.Flags().StringVarP(&a.stack, "stack", "s", os.Getenv("PULUMI_STACK"), "the environment's stack (default: PULUMI_STACK)")
	must(c.RegisterFlagCompletionFunc("stack", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		files, err := catalogue.Read(a.project)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return stacks(files), cobra.ShellCompDirectiveNoFileComp
	}))
	return c
}

// chosen is the file of the environment that the command is about.
func (a *app) chosen(files []catalogue.File) (catalogue.File, error) {
	if a.stack == "" {
		return catalogue.File{}, fmt.Errorf("which environment? Give its stack by -s, or set PULUMI_STACK: %s", strings.Join(stacks(files), ", "))
	}
	i := slices.IndexFunc(files, func(f catalogue.File) bool { return f.Stack == a.stack })
	if i < 0 {
		return catalogue.File{}, fmt.Errorf("there is no environment %s: they are %s", a.stack, strings.Join(stacks(files), ", "))
	}
	return files[i], nil
}

func stacks(files []catalogue.File) []string {
	var names []string
	for _, f := range files {
		names = append(names, f.Stack)
	}
	return names
}

func (a *app) effective(f catalogue.File, files []catalogue.File) error {
	if f.Kind == environments.KindAWS {
		if _, err := catalogue.Check(f.Stack, f.Environment, files, a.book); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	values, err := environments.Explain(f.Kind, f.Environment)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return a.writeEffective(f, values)
}
