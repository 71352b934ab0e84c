// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/sync/errgroup"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/audit/engine"
)

// packFolder holds the rules as plain `pulumi --policy-pack` takes them.
const packFolder = "infra/cmd/pulumi-analyzer-policy-spine"

// run has Pulumi write an event log, and reads it. What is written goes into a folder of its own, and away again.
func (a *app) run(ctx context.Context, stack string, command ...string) (*engine.Preview, []string, error) {
	// The engine takes long enough to learn the secrets beside it.
	var known []string
	var group errgroup.Group
	group.Go(func() (err error) {
		known, err = a.secretsOf(ctx, stack)
		return err
	})
	dir, err := os.MkdirTemp("", "stackdiff-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	log, plan := filepath.Join(dir, "events"), filepath.Join(dir, "plan")
	args := append(a.withConfig(command...), "--event-log", log)
	if command[0] == "preview" {
		args = append(args, "--save-plan", plan)
		if os.Getenv("PULUMI_OPTION_POLICY_PACK") == "" {
			args = append(args, "--policy-pack", packFolder)
		}
	}
	fmt.Fprintf(a.err, "%s: pulumi %s ...\n", stack, strings.Join(command, " "))
	said, runErr := a.pulumi(ctx, stack, args...)
	err = group.Wait()
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		return nil, nil, fmt.Errorf("pulumi %s wrote no event log: %w: %s", command[0], runErr, audit.NewSecrets(known).Text(said))
	}
	p, err := engine.ReadPreview("the event log of "+stack, text)
	if err != nil {
		return nil, nil, err
	}
	if p.Stack == "" {
		p.Stack = stack
	}
	if text, err := os.ReadFile(plan); err == nil {
		return p, known, p.AddPlan("the plan of "+stack, text)
	}
	state, err := a.export(ctx, stack, false)
	if err != nil {
		return nil, nil, err
	}
	d, err := engine.ReadDeployment("the state of "+stack, state)
	if err != nil {
		return nil, nil, err
	}
	return p, known, p.AddState(d)
}

// pulumi runs the CLI on a stack and returns what it said; Ctrl-C reaches it as an interrupt, so that it ends cleanly.
func (a *app) pulumi(ctx context.Context, stack string, args ...string) (string, error) {
	args = append(args, "--stack", stack, "--non-interactive")
	cmd := exec.CommandContext(ctx, "pulumi", args...)
	cmd.Dir = a.root
	cmd.Env = append(os.Environ(), "PULUMI_DEBUG_COMMANDS=true", "PULUMI_SKIP_UPDATE_CHECK=true")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New(`pulumi is not on PATH: eval "$(make -s env)" puts it there`)
	}
	if err != nil {
		return out.String() + errs.String(), err
	}
	return out.String(), nil
}

// withConfig adds the user's config file to a command that takes one.
func (a *app) withConfig(args ...string) []string {
	if a.configFile == "" {
		return args
	}
	return append(args, "--config-file", a.configFile)
}

func (a *app) export(ctx context.Context, stack string, plain bool) ([]byte, error) {
	args := []string{"stack", "export"}
	if plain {
		args = append(args, "--show-secrets")
	}
	out, err := a.pulumi(ctx, stack, args...)
	if err != nil {
		return nil, fmt.Errorf("pulumi stack export of %s: %w: %s", stack, err, strings.TrimSpace(lastLines(out)))
	}
	return []byte(out), nil
}

// lastLines of what failed: never an output that holds values.
func lastLines(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "error:") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// secretsOf are the plain texts of a stack's secrets, in its configuration and in its state, so that they are found
// wherever the engine or a provider wrote one. They stay in memory.
func (a *app) secretsOf(ctx context.Context, stack string) ([]string, error) {
	out, err := a.pulumi(ctx, stack, a.withConfig("config", "--show-secrets", "--json")...)
	if err != nil {
		return nil, fmt.Errorf("pulumi config of %s: %w: %s", stack, err, strings.TrimSpace(lastLines(out)))
	}
	var config map[string]struct {
		Value  string `json:"value"`
		Secret bool   `json:"secret"`
	}
	if err := json.Unmarshal([]byte(out), &config); err != nil {
		return nil, fmt.Errorf("pulumi config of %s: its answer is not the JSON expected", stack)
	}
	var known []string
	for _, c := range config {
		if c.Secret {
			known = append(known, c.Value)
		}
	}
	state, err := a.export(ctx, stack, true)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(state, &all); err != nil {
		return nil, fmt.Errorf("pulumi stack export of %s: its answer is not the JSON expected", stack)
	}
	return append(known, plainSecrets(all)...), nil
}

// plainSecrets are the texts of all secrets in a state.
func plainSecrets(v any) []string {
	var out []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			out = append(out, plainSecrets(item)...)
		}
	case map[string]any:
		if v[resource.SigKey] == resource.SecretSig {
			text, _ := v["plaintext"].(string)
			var inner any
			if json.Unmarshal([]byte(text), &inner) == nil {
				return texts(inner)
			}
			return []string{text}
		}
		for _, item := range v {
			out = append(out, plainSecrets(item)...)
		}
	}
	return out
}

func texts(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, item := range v {
			out = append(out, texts(item)...)
		}
	case map[string]any:
		for _, item := range v {
			out = append(out, texts(item)...)
		}
	}
	return out
}
