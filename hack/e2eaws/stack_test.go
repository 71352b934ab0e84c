// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
)

// root is the project's folder, from this one.
const root = "../.."

// stack is one environment with a state of its own.
type stack struct {
	name, bin, config string
	env               []string
}

func newStack(t *testing.T, name string) *stack {
	t.Helper()
	cache, err := cachedir.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "bin")
	pack, err := filepath.Abs(filepath.Join(root, "infra/cmd/pulumi-analyzer-policy-spine"))
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{name: name, bin: bin, config: filepath.Join(t.TempDir(), "config.yaml")}
	s.env = os.Environ()
	if given.bridge != nil {
		// An emulator is gone with the run: a state that is written at the end only may be lost, and takes a tenth of the time.
		s.env = append(append(s.env, given.bridge.emulator(t)...), "PULUMI_SKIP_CHECKPOINTS=true")
	}
	s.env = append(s.env, "PATH="+given.plugin+":"+bin+":"+os.Getenv("PATH"), "PULUMI_BACKEND_URL=file://"+t.TempDir(),
		"PULUMI_CONFIG_PASSPHRASE=e2e", "PULUMI_CONFIG_PASSPHRASE_FILE=", "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DEBUG_COMMANDS=true",
		"PULUMI_OPTION_POLICY_PACK="+pack)
	s.configure(t, nil)
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: spine\nruntime: go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.in(t, project, "stack", "init", "--stack", name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s
}

var ownAccount = regexp.MustCompile(`(?m)^(\s+account: )"[0-9]{12}"$`)

// configure writes the environment's file anew, with the account of the run and what is set by paths such as
// "database.instanceClass".
func (s *stack) configure(t *testing.T, set map[string]any) {
	t.Helper()
	text, err := os.ReadFile(configOf(s.name))
	if err != nil {
		t.Fatal(err)
	}
	if !ownAccount.Match(text) {
		t.Fatalf("%s names no account", configOf(s.name))
	}
	var file map[string]any
	if err := yaml.Unmarshal(ownAccount.ReplaceAll(text, []byte(`$1"`+given.account+`"`)), &file); err != nil {
		t.Fatal(err)
	}
	settings := file["config"].(map[string]any)
	settings["spine:brokerPassword"], settings["spine:databasePassword"] = "Hidden-In-Plain-Sight", "Hidden-In-Plain-Sight"
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
	if err := os.WriteFile(s.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) in(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "pulumi"), append(args, "--non-interactive")...)
	cmd.Dir, cmd.Env = dir, s.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	t.Logf("%s: pulumi %s: %.0f s", s.name, args[0], time.Since(start).Seconds())
	return out.String(), err
}

// run runs pulumi on the stack.
func (s *stack) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	args = append(args, "--stack", s.name)
	if slices.Contains([]string{"up", "preview", "refresh", "destroy"}, args[0]) {
		args = append(args, "--config-file", s.config)
	}
	return s.in(t, root, args...)
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
	p, _, _ := s.tryPlan(t)
	return p
}

func (s *stack) tryPlan(t *testing.T, args ...string) (*engine.Preview, string, error) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "events")
	out, failed := s.run(t, append([]string{"preview", "--event-log", log}, args...)...)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.ReadPreview("the plan of "+s.name, text)
	if err != nil {
		t.Fatal(err)
	}
	return p, out, failed
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
