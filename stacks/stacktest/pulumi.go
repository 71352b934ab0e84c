// SPDX-License-Identifier: Apache-2.0

// Package stacktest runs the real pulumi on stacks that have a backend of their own, for tests and measurements. The states
// of environments are nowhere near.
package stacktest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Pulumi is the pulumi that `make tools` builds, with a backend of its own.
type Pulumi struct {
	// Bin is the folder of the tools, pulumi among them.
	Bin string
	// Env is all that pulumi finds in its environment. Of a variable that is there twice, the last one counts.
	Env []string
}

// New keeps states in a folder, and looks for plugins in others before it looks among the tools.
func New(states string, plugins ...string) (*Pulumi, error) {
	cache, err := cacheRoot()
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(cache, "bin")
	path := strings.Join(append(slices.Clone(plugins), bin, os.Getenv("PATH")), string(filepath.ListSeparator))
	return &Pulumi{Bin: bin, Env: append(os.Environ(), "PATH="+path, "PULUMI_BACKEND_URL=file://"+states,
		"PULUMI_CONFIG_PASSPHRASE=spine-local", "PULUMI_CONFIG_PASSPHRASE_FILE=", "PULUMI_SKIP_UPDATE_CHECK=true")}, nil
}

// Path is where pulumi looks for programs.
func (p *Pulumi) Path() string {
	for _, v := range slices.Backward(p.Env) {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			return path
		}
	}
	return ""
}

// In is a command of pulumi's in a folder.
func (p *Pulumi) In(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.Bin, "pulumi"), append(slices.Clone(args), "--non-interactive")...)
	cmd.Dir, cmd.Env = dir, p.Env
	return cmd
}

// Init makes a stack of the project "spine" in a folder. That is another one than the repository: beside its project file
// `pulumi stack init` writes a configuration.
func (p *Pulumi) Init(ctx context.Context, dir, stack string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: spine\nruntime: go\n"), 0o600); err != nil {
		return err
	}
	if out, err := Said(p.In(ctx, dir, "stack", "init", stack)); err != nil {
		return fmt.Errorf("pulumi stack init %s: %w\n%s", stack, err, out)
	}
	return nil
}

// Said runs a command and returns what it writes on both its outputs.
func Said(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// cacheRoot is where the tools are: hack/tools, which nothing outside of hack may import, says the same.
func cacheRoot() (string, error) {
	if dir := os.Getenv("SPINE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w; set SPINE_CACHE", err)
	}
	return filepath.Join(dir, "spine"), nil
}

// Rules is the policy pack of the project in a folder.
func Rules(root string) (string, error) {
	return filepath.Abs(filepath.Join(root, "infra/cmd/pulumi-analyzer-policy-spine"))
}

// Attached is the variable by which `make env` attaches a policy pack.
func Attached(pack string) string { return "PULUMI_OPTION_POLICY_PACK=" + pack }

// StandIn builds the stand-in for the AWS plugin beside the other tools, and returns its folder.
func StandIn(ctx context.Context, root string) (string, error) {
	cache, err := cacheRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "own", "awsdouble")
	// Pulumi looks for a plugin under this name.
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "pulumi-resource-aws"), "./hack/awsdouble")
	cmd.Dir = root
	if out, err := Said(cmd); err != nil {
		return "", fmt.Errorf("go build ./hack/awsdouble: %w\n%s", err, out)
	}
	return dir, nil
}
