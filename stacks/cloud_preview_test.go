// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/stacks/catalogue"
	"spine.nhs.uk/controlplane/stacks/platform/platformtest"
)

// listed are the environments whose resources are counted by type in testdata/cloud: live with all that an environment can
// have, and the smallest.
var listed = []string{"ers-live", "ers-dev"}

// TestOfflineCloud runs the real pulumi and language host over the config of each environment in AWS, with the stand-in for
// the plugin: without an account. What would be made is counted, and held against the rules and the invariants.
func TestOfflineCloud(t *testing.T) {
	for _, name := range cloudStacks(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCloudStack(t, name)
			p := s.preview(t)
			if slices.Contains(listed, name) {
				golden.Assert(t, counted(p), filepath.Join("cloud", name+".types"))
			}
			for _, v := range invariants(p) {
				t.Error(v)
			}
			if name == "ers-live" {
				breakEach(t, p)
			}
		})
	}
}

// TestUpdateLeavesNothing: a plan after an update finds nothing to do. One environment of each shape: live with all that it
// has, and the smallest. What is in the cluster is applied to a real API server, through the kubeconfig that the stack
// makes of what AWS answers.
func TestUpdateLeavesNothing(t *testing.T) {
	for _, name := range []string{"ers-live", "spine-dev"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCloudStack(t, name)
			behind(t, s)
			s.must(t, "up", "--yes", "--stack", name, "--config-file", s.config)
			out := s.must(t, "preview", "--expect-no-changes", "--stack", name, "--config-file", s.config)
			if strings.Contains(out, "without asking the cluster") {
				t.Errorf("the API server was not asked:\n%s", out)
			}
		})
	}
}

// cloudStacks are the environments in AWS.
func cloudStacks(t *testing.T) []string {
	t.Helper()
	files, err := catalogue.Read(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if f.Kind == environments.KindAWS {
			names = append(names, f.Stack)
		}
	}
	if len(names) == 0 {
		t.Fatal("no environment is in AWS")
	}
	return names
}

// cloudStack is a stack of an environment in AWS, with a backend of the test's own.
type cloudStack struct {
	name, bin string
	// config is a copy of the environment's file, with secrets that nobody uses.
	config string
	env    []string
}

func newCloudStack(t testing.TB, name string) *cloudStack {
	t.Helper()
	text, err := os.ReadFile("../environments/Pulumi." + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	bin := toolsBin(t)
	s := &cloudStack{name: name, bin: bin, config: filepath.Join(t.TempDir(), "config.yaml")}
	s.env = append(os.Environ(), "PATH="+standIn(t)+":"+bin+":"+os.Getenv("PATH"), "PULUMI_BACKEND_URL=file://"+t.TempDir(),
		"PULUMI_CONFIG_PASSPHRASE=spine-local", "PULUMI_CONFIG_PASSPHRASE_FILE=", "PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DEBUG_COMMANDS=true",
		// A state that nothing stands behind may be lost: writing it at the end only takes a tenth of the time.
		"PULUMI_SKIP_CHECKPOINTS=true", "PULUMI_OPTION_POLICY_PACK="+rules(t))
	service, _, _ := strings.Cut(name, "-")
	mailboxes := platformtest.MailboxSecrets(t, "../environments/catalogue/"+service+".yaml")
	text = fmt.Appendf(text, "\n  spine:brokerPassword: %s\n  spine:databasePassword: %s\n  spine:mailboxSecrets: '%s'\n", planted, planted, mailboxes)
	if err := os.WriteFile(s.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: spine\nruntime: go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run(t, project, "stack", "init", name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s
}

// omitPlatform leaves the cluster empty: for tests that are about what AWS makes.
func (s *cloudStack) omitPlatform(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, bytes.Replace(text, []byte("\n    class:"), []byte("\n    platform: Omitted\n    class:"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// buildStandIn builds the stand-in for the AWS plugin, once, beside the other tools.
var buildStandIn = sync.OnceValues(func() (string, error) {
	cache := os.Getenv("SPINE_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(base, "spine")
	}
	dir := filepath.Join(cache, "own", "awsdouble")
	// Pulumi looks for a plugin under this name.
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "pulumi-resource-aws"), "../hack/awsdouble").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build ../hack/awsdouble: %w\n%s", err, out)
	}
	return dir, nil
})

// standIn is the folder of the stand-in.
func standIn(t testing.TB) string {
	t.Helper()
	dir, err := buildStandIn()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *cloudStack) run(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "pulumi"), append(args, "--non-interactive")...)
	cmd.Dir, cmd.Env = dir, s.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (s *cloudStack) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.run(t, "..", args...)
	if err != nil {
		t.Fatalf("pulumi %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	hides(t, out)
	return out
}

// preview plans the environment with the rules inside, and returns what the engine wrote down.
func (s *cloudStack) preview(t testing.TB, more ...string) *engine.Preview {
	t.Helper()
	log := filepath.Join(t.TempDir(), "events")
	out, err := s.run(t, "..", append([]string{"preview", "--stack", s.name, "--config-file", s.config, "--event-log", log}, more...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hides(t, out)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.ReadPreview("the plan of "+s.name, text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// counted is how many resources there are of each type.
func counted(p *engine.Preview) string {
	counts := map[string]int{}
	for _, s := range p.Steps {
		counts[s.Type]++
	}
	var lines []string
	for kind, n := range counts {
		lines = append(lines, fmt.Sprintf("%s %d\n", kind, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
