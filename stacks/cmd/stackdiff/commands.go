// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/stacks/catalogue"
)

func (a *app) previewCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "preview", Short: "What an update, a destroy, a refresh or an import would change in one environment", Args: catalogue.ByFlag,
		Long: "preview says what an update would change. Pulumi asks rules about updates only: with --destroy, --refresh and\n" +
			"--import it is stackdiff that asks them, and the exit code is 2 when one is against it:\n\n" +
			"  stackdiff preview --destroy -s STACK && pulumi destroy -s STACK\n" +
			"  stackdiff preview --import FILE -s STACK && pulumi import --file FILE -s STACK",
		Example: "  stackdiff preview -s local\n  stackdiff preview -s live -o html > change.html\n  stackdiff preview --events preview.log",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var env audit.Environment
			if len(a.events) > 0 {
				path, err := a.oneLog()
				if err != nil {
					return err
				}
				if env, err = a.fromLog(path); err != nil {
					return err
				}
				return a.write(audit.Planned, env)
			}
			stack, err := a.chosen()
			if err != nil {
				return err
			}
			if env, err = a.preview(cmd.Context(), stack); err != nil {
				return err
			}
			return a.write(audit.Planned, env)
		},
	}
	a.addStack(c)
	a.addSaved(c)
	c.Flags().BoolVar(&a.destroy, "destroy", false, "preview pulumi destroy, and ask the rules about it")
	c.Flags().BoolVar(&a.refresh, "refresh", false, "preview what pulumi refresh would write into the state, and ask the rules about it")
	c.Flags().StringVar(&a.imports, "import", "", "preview pulumi import of what this file lists (as `pulumi import --file` takes it), and ask the rules about it")
	c.MarkFlagsMutuallyExclusive("destroy", "refresh", "import")
	return c
}

func (a *app) matrixCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "matrix", Short: "What an update would change in every environment, side by side", Args: cobra.NoArgs,
		Example: "  stackdiff matrix -o html > matrix.html\n  stackdiff matrix --events a.log --events b.log",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var environments []audit.Environment
			add := func(env audit.Environment) error {
				if slices.ContainsFunc(environments, func(e audit.Environment) bool { return e.Name == env.Name && e.Project == env.Project }) {
					return fmt.Errorf("two logs are of the stack %s: give one for each", env.Name)
				}
				environments = append(environments, env)
				return nil
			}
			for _, path := range a.events {
				env, err := a.fromLog(path)
				if err == nil {
					err = add(env)
				}
				if err != nil {
					return err
				}
			}
			if len(a.events) > 0 {
				return a.write(audit.Planned, environments...)
			}
			names, err := a.environments()
			if err != nil {
				return err
			}
			for _, name := range names {
				env, err := a.preview(cmd.Context(), name)
				if errors.Is(err, context.Canceled) {
					return err
				}
				if err != nil {
					// One environment that cannot be read does not hide the others.
					env = audit.Environment{Name: name, Error: err.Error()}
				}
				if err := add(env); err != nil {
					return err
				}
			}
			return a.write(audit.Planned, environments...)
		},
	}
	c.Flags().StringArrayVar(&a.events, "events", nil, "read these event logs, one for each environment, and run nothing")
	return c
}

func (a *app) historyCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "history", Short: "What every update of one environment changed: when, from which commit, property by property", Args: catalogue.ByFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := a.chosen()
			if err != nil {
				return err
			}
			b, err := a.backend(cmd.Context())
			if err != nil {
				return err
			}
			updates, err := b.History(cmd.Context(), stack)
			if err != nil {
				return err
			}
			known, err := a.secretsOf(cmd.Context(), stack)
			if err != nil {
				return err
			}
			c, err := a.context(known)
			if err != nil {
				return err
			}
			return a.write(audit.Applied, audit.FromHistory(stack, b.Project(), updates, c))
		},
	}
	a.addStack(c)
	return c
}

func (a *app) driftCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "drift", Short: "What differs from what was applied, and since when; exit code 2 when something does", Args: catalogue.ByFlag,
		Long: "drift asks every host and cluster what it holds (`pulumi refresh --preview-only`), and changes nothing.\n" +
			"`pulumi up` repairs what it finds.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(a.events) > 0 {
				path, err := a.oneLog()
				if err != nil {
					return err
				}
				p, err := a.saved(path)
				if err != nil {
					return err
				}
				c, err := a.context(nil)
				if err != nil {
					return err
				}
				return a.write(audit.Drifted, audit.FromDrift(p, nil, c))
			}
			stack, err := a.chosen()
			if err != nil {
				return err
			}
			return a.drift(cmd.Context(), stack)
		},
	}
	a.addStack(c)
	a.addSaved(c)
	return c
}

func (a *app) drift(ctx context.Context, stack string) error {
	b, err := a.backend(ctx)
	if err != nil {
		return err
	}
	updates, err := b.History(ctx, stack)
	if err != nil {
		return err
	}
	p, known, err := a.run(ctx, stack, "refresh", "--preview-only")
	if err != nil {
		return err
	}
	c, err := a.context(known)
	if err != nil {
		return err
	}
	return a.write(audit.Drifted, audit.FromDrift(p, lastGood(updates), c))
}

// lastGood is the last update after which what was there was known.
func lastGood(updates []engine.Update) *engine.Update {
	for _, u := range slices.Backward(updates) {
		if u.Result == "succeeded" && (u.Kind == "update" || u.Kind == "refresh") {
			return &u
		}
	}
	return nil
}

// fromLog reports what a saved event log says.
func (a *app) fromLog(path string) (audit.Environment, error) {
	p, err := a.saved(path)
	if err != nil {
		return audit.Environment{}, err
	}
	c, err := a.context(nil)
	if err != nil {
		return audit.Environment{}, err
	}
	return a.report(p, c), nil
}

// report says what was previewed.
func (a *app) report(p *engine.Preview, c audit.Context) audit.Environment {
	if o := a.operation(); o != "" {
		return audit.FromOperation(o, p, c)
	}
	return audit.FromPreview(p, c)
}

// preview runs one; that of an update has the rules inside.
func (a *app) preview(ctx context.Context, stack string) (audit.Environment, error) {
	command := []string{"preview"}
	if o := a.operation(); o != "" {
		command = []string{o, "--preview-only"}
	}
	if a.imports != "" {
		file, err := filepath.Abs(a.imports) // Pulumi runs at the top of the checkout.
		if err != nil {
			return audit.Environment{}, err
		}
		command = append(command, "--generate-code=false", "--file", file)
	}
	p, known, err := a.run(ctx, stack, command...)
	if err != nil {
		return audit.Environment{}, err
	}
	c, err := a.context(known)
	if err != nil {
		return audit.Environment{}, err
	}
	return a.report(p, c), nil
}

// environments are the stacks that environments/ has a config for.
func (a *app) environments() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(a.root, "environments", "Pulumi.*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("there is no environments/Pulumi.STACK.yaml here: run this at the top of the checkout")
	}
	var out []string
	for _, path := range paths {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "Pulumi."), ".yaml"))
	}
	return out, nil
}
