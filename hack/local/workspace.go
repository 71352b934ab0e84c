// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// workspace knows where everything lives and how to run the project's own commands.
type workspace struct {
	options
	root  string // the checkout
	cache string // what can be built again
	home  string // what must outlive a run: rack, state, passphrase
	own   string // this checkout's own commands, built
}

func newWorkspace(opts options) (*workspace, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "Pulumi.yaml")); err != nil {
		return nil, fmt.Errorf("no Pulumi.yaml in %s: run this from the top of the checkout (make does)", root)
	}
	userHome, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("the home folder is unknown: set HOME: %w", err)
	}
	cache := os.Getenv("SPINE_CACHE")
	if cache == "" {
		base := os.Getenv("XDG_CACHE_HOME")
		if base == "" {
			base = filepath.Join(userHome, ".cache")
		}
		cache = filepath.Join(base, "spine")
	}
	home := os.Getenv("SPINE_HOME")
	if home == "" {
		home = filepath.Join(userHome, ".local/share/spine")
	}
	return &workspace{options: opts, root: root, cache: cache, home: home, own: filepath.Join(cache, "own")}, nil
}

func (w *workspace) kubeconfig() string { return filepath.Join(w.home, "kubeconfig-"+w.Stack) }
func (w *workspace) state() string      { return filepath.Join(w.home, "state") }
func (w *workspace) passphrase() string { return filepath.Join(w.home, "passphrase") }

// variables are what plain pulumi, kubectl and rack need to find their way; `make env` prints the same.
// They keep a user's own Pulumi settings where they are already set, the backend and the passphrase above all.
func (w *workspace) variables() []string {
	vars := []string{
		"PATH=" + filepath.Join(w.cache, "bin") + ":" + w.own + ":" + os.Getenv("PATH"),
		"KUBECONFIG=" + w.kubeconfig(),
		"SPINE_HOME=" + w.home,
		"SPINE_CACHE=" + w.cache,
		"SPINE_RACK=" + w.rack(),
	}
	set := func(name, value string) {
		if os.Getenv(name) == "" {
			vars = append(vars, name+"="+value)
		}
	}
	// Without files of metadata beside the states: those are not written whole, and one that a kill cut off
	// ("failed to load checkpoint: EOF") keeps every later command from its state.
	set("PULUMI_BACKEND_URL", "file://"+w.state()+"?metadata=skip")
	if os.Getenv("PULUMI_CONFIG_PASSPHRASE") == "" {
		set("PULUMI_CONFIG_PASSPHRASE_FILE", w.passphrase())
	}
	// Pulumi takes its flags from such variables too: plain `pulumi up` carries the rules.
	set("PULUMI_OPTION_POLICY_PACK", filepath.Join(w.root, "infra/cmd/pulumi-analyzer-policy-spine"))
	set("PULUMI_SKIP_UPDATE_CHECK", "true")
	set("PULUMI_STACK", w.Stack)
	return vars
}

func (w *workspace) printEnv(out io.Writer) {
	for _, v := range w.variables() {
		name, value, _ := strings.Cut(v, "=")
		if name == "PATH" {
			value = strings.TrimSuffix(value, os.Getenv("PATH")) + "$PATH"
		}
		fmt.Fprintf(out, "export %s=\"%s\"\n", name, value)
	}
}

// command runs in the checkout with the workspace's environment. Ctrl-C reaches the child as an interrupt, so that
// pulumi and rack stop at a safe point; they are not killed.
func (w *workspace) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	for _, dir := range []string{w.own, filepath.Join(w.cache, "bin")} {
		if p := filepath.Join(dir, name); executable(p) {
			name = p
			break
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.root
	cmd.Env = append(os.Environ(), w.variables()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Minute
	return cmd
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// run streams the command's output to the console.
func (w *workspace) run(ctx context.Context, name string, args ...string) error {
	return w.runWith(ctx, nil, name, args...)
}

// runWith is run with more environment variables, as NAME=value.
func (w *workspace) runWith(ctx context.Context, variables []string, name string, args ...string) error {
	cmd := w.command(ctx, name, args...)
	cmd.Env = append(cmd.Env, variables...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// output returns the command's standard output, when it fails too; its standard error becomes part of the error.
func (w *workspace) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := w.command(ctx, name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out, nil
}

func (w *workspace) outputJSON(ctx context.Context, into any, name string, args ...string) error {
	out, err := w.output(ctx, name, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("%s %s: its answer is not the JSON expected: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

func (w *workspace) rackArgs(args ...string) []string {
	return append(args, "--rack", w.rack())
}

func (w *workspace) pulumiArgs(args ...string) []string {
	args = append(args, "--stack", w.Stack, "--non-interactive")
	if w.ConfigFile != "" {
		args = append(args, "--config-file", w.ConfigFile)
	}
	return args
}
