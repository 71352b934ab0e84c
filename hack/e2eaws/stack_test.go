// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
	"spine.nhs.uk/controlplane/stacks/stacktest"
)

// root is the project's folder, from this one.
const root = "../.."

// stack is one environment with a state of its own.
type stack struct{ *stacktest.Stack }

func newStack(t *testing.T, name string) *stack {
	t.Helper()
	p, err := stacktest.New(t.TempDir(), given.plugin)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := stacktest.Rules(root)
	if err != nil {
		t.Fatal(err)
	}
	p.Env = append(p.Env, "PULUMI_DEBUG_COMMANDS=true", stacktest.Attached(pack))
	if given.bridge != nil {
		// An emulator is gone with the run: a state that is written at the end only may be lost, and takes a tenth of the time.
		p.Env = append(append(p.Env, given.bridge.emulator(t)...), "PULUMI_SKIP_CHECKPOINTS=true")
	}
	s := &stack{&stacktest.Stack{Pulumi: p, Name: name, Root: root, Config: filepath.Join(t.TempDir(), "config.yaml")}}
	s.configure(t, nil)
	if err := p.Init(t.Context(), t.TempDir(), name); err != nil {
		t.Fatal(err)
	}
	return s
}

var ownAccount = regexp.MustCompile(`(?m)^(\s+account: )"[0-9]{12}"$`)

// configure writes the environment's file anew, with the account of the run and what is set by paths such as
// "database.instanceClass".
func (s *stack) configure(t *testing.T, set map[string]any) {
	t.Helper()
	text, err := os.ReadFile(configOf(s.Name))
	if err != nil {
		t.Fatal(err)
	}
	if !ownAccount.Match(text) {
		t.Fatalf("%s names no account", configOf(s.Name))
	}
	var file map[string]any
	if err := yaml.Unmarshal(ownAccount.ReplaceAll(text, []byte(`$1"`+given.account+`"`)), &file); err != nil {
		t.Fatal(err)
	}
	settings := file["config"].(map[string]any)
	settings["spine:brokerPassword"], settings["spine:databasePassword"] = stacktest.Planted, stacktest.Planted
	// No Kubernetes answers behind an emulator's clusters: README.md says what is tested instead.
	settings["spine:environment"].(map[string]any)["platform"] = "Omitted"
	for path, value := range set {
		at := settings["spine:environment"].(map[string]any)
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[key] = next
			}
			at = next
		}
		at[keys[len(keys)-1]] = value
	}
	if text, err = yaml.Marshal(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Config, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs pulumi on the stack.
func (s *stack) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	defer s.timed(t, args[0])()
	return stacktest.Said(s.Command(t.Context(), args...))
}

// timed logs how long one of pulumi's commands has taken, at its end.
func (s *stack) timed(t *testing.T, command string) (ended func()) {
	start := time.Now()
	return func() { t.Logf("%s: pulumi %s: %.0f s", s.Name, command, time.Since(start).Seconds()) }
}

// must runs pulumi, and ends the test when that fails.
func (s *stack) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.run(t, args...)
	if err != nil {
		t.Fatalf("pulumi %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// resources are the URNs of what the stack's state says is there, without providers and components.
func (s *stack) resources(t *testing.T) []string {
	t.Helper()
	var state struct {
		Deployment struct {
			Resources []struct {
				URN    string `json:"urn"`
				Type   string `json:"type"`
				Custom bool   `json:"custom"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal([]byte(s.must(t, "stack", "export")), &state); err != nil {
		t.Fatal(err)
	}
	var urns []string
	for _, r := range state.Deployment.Resources {
		if strings.HasPrefix(r.Type, "aws:") && r.Custom {
			urns = append(urns, r.URN)
		}
	}
	return urns
}

// plan previews and returns what the engine wrote down.
func (s *stack) plan(t *testing.T, args ...string) *engine.Preview {
	t.Helper()
	p, out, err := s.tryPlan(t, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// planAnyway does so for what the rules refuse.
func (s *stack) planAnyway(t *testing.T) *engine.Preview {
	t.Helper()
	p, out, err := s.tryPlan(t)
	if p == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

func (s *stack) tryPlan(t *testing.T, args ...string) (*engine.Preview, string, error) {
	t.Helper()
	defer s.timed(t, "preview")()
	return s.Preview(t.Context(), filepath.Join(t.TempDir(), "events"), args...)
}

// changes are the operations of a plan other than nothing, one line for each type, sorted.
func changes(p *engine.Preview) []string {
	var out []string
	for _, step := range p.Steps {
		if step.Custom && step.Operation != policy.Same {
			out = append(out, fmt.Sprintf("%s %s", step.Operation, step.Type))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
