// SPDX-License-Identifier: Apache-2.0

package stacktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/stacks/platform/platformtest"
)

// Planted is the password in every configuration: where it is seen, a secret is shown.
const Planted = "Hidden-In-Plain-Sight"

// Stack is the stack of an environment.
type Stack struct {
	*Pulumi
	Name string
	// Root is the project's folder.
	Root string
	// Config is read in place of the environment's own file.
	Config string
}

// Environment is the stack of an environment in AWS, with the rules. Config, a copy of its file with secrets that nobody
// uses, and state are in dir.
func Environment(ctx context.Context, root, name, dir string, plugins ...string) (*Stack, error) {
	states := filepath.Join(dir, "states")
	if err := os.MkdirAll(states, 0o700); err != nil {
		return nil, err
	}
	p, err := New(states, plugins...)
	if err != nil {
		return nil, err
	}
	rules, err := Rules(root)
	if err != nil {
		return nil, err
	}
	// A state that nothing stands behind may be lost: writing it at the end only takes a tenth of the time.
	p.Env = append(p.Env, Attached(rules), "PULUMI_DEBUG_COMMANDS=true", "PULUMI_SKIP_CHECKPOINTS=true")
	text, err := os.ReadFile(filepath.Join(root, "environments", "Pulumi."+name+".yaml"))
	if err != nil {
		return nil, err
	}
	service, _, _ := strings.Cut(name, "-")
	mailboxes, err := platformtest.Secrets(filepath.Join(root, "environments/catalogue", service+".yaml"))
	if err != nil {
		return nil, err
	}
	s := &Stack{Pulumi: p, Name: name, Root: root, Config: filepath.Join(dir, "config.yaml")}
	text = fmt.Appendf(text, "\n  spine:brokerPassword: %s\n  spine:databasePassword: %s\n  spine:mailboxSecrets: '%s'\n", Planted, Planted, mailboxes)
	if err := os.WriteFile(s.Config, text, 0o600); err != nil {
		return nil, err
	}
	return s, p.Init(ctx, filepath.Join(dir, "project"), name)
}

// Command is one of pulumi's on the stack.
func (s *Stack) Command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(slices.Clone(args), "--stack", s.Name)
	if slices.Contains([]string{"up", "preview", "refresh", "destroy"}, args[0]) {
		args = append(args, "--config-file", s.Config)
	}
	return s.In(ctx, s.Root, args...)
}

// Preview plans. It returns what the engine wrote down in a log, of a plan that was refused too; then the error is pulumi's.
// Said is what pulumi wrote.
func (s *Stack) Preview(ctx context.Context, log string, args ...string) (plan *engine.Preview, said string, err error) {
	said, refused := Said(s.Command(ctx, append([]string{"preview", "--event-log", log}, args...)...))
	plan, err = ReadLog(log)
	return plan, said, errors.Join(refused, err)
}

// ReadLog reads what the engine wrote down of a plan or an update.
func ReadLog(path string) (*engine.Preview, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return engine.ReadPreview(path, text)
}
