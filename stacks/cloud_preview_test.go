// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/stacks/catalogue"
	"spine.nhs.uk/controlplane/stacks/stacktest"
)

// listed are the environments whose resources are counted by type in testdata/cloud: live with all that an environment can
// have, and the smallest.
var listed = []string{"ers-live", "ers-dev"}

// TestOfflineCloud runs the real pulumi and language host over the config of each environment in AWS, with the stand-in for
// the plugin: without an account. What would be made is counted, and held against the rules and the invariants; and these
// against whatever spoils it.
func TestOfflineCloud(t *testing.T) {
	for name, env := range cloudStacks(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newCloudStack(t, name)
			p := s.planned(t)
			if slices.Contains(listed, name) {
				golden.Assert(t, counted(p), filepath.Join("cloud", name+".types"))
			}
			for _, v := range invariants(p) {
				t.Error(v)
			}
			breakEach(t, p, env)
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
			s.must(t, "up", "--yes")
			out := s.must(t, "preview", "--expect-no-changes")
			if strings.Contains(out, "without asking the cluster") {
				t.Errorf("the API server was not asked:\n%s", out)
			}
		})
	}
}

// cloudStacks are the environments in AWS, with what holds in them, by their stacks.
func cloudStacks(t *testing.T) map[string]*environments.Cloud {
	t.Helper()
	files, err := catalogue.Read(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*environments.Cloud{}
	for _, f := range files {
		if f.Kind != environments.KindAWS {
			continue
		}
		if all[f.Stack], err = catalogue.Check(f.Stack, f.Environment, files, cost.Published()); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		t.Fatal("no environment is in AWS")
	}
	return all
}

// cloudStack is a stack of an environment in AWS, with a backend of the test's own.
type cloudStack struct{ *stacktest.Stack }

func newCloudStack(t testing.TB, name string) *cloudStack {
	t.Helper()
	s, err := stacktest.Environment(t.Context(), "..", name, t.TempDir(), standIn(t))
	if err != nil {
		t.Fatal(err)
	}
	return &cloudStack{s}
}

// omitPlatform leaves the cluster empty: for tests that are about what AWS makes.
func (s *cloudStack) omitPlatform(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Config, bytes.Replace(text, []byte("\n    class:"), []byte("\n    platform: Omitted\n    class:"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// buildStandIn builds the stand-in for the AWS plugin, once.
var buildStandIn = sync.OnceValues(func() (string, error) { return stacktest.StandIn(context.Background(), "..") })

// standIn is the folder of the stand-in.
func standIn(t testing.TB) string {
	t.Helper()
	dir, err := buildStandIn()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// must runs pulumi on the stack, and ends the test when that fails.
func (s *cloudStack) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := stacktest.Said(s.Command(t.Context(), args...))
	if err != nil {
		t.Fatalf("pulumi %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	hides(t, out)
	return out
}

// preview plans the environment with the rules inside, and returns what the engine wrote down.
func (s *cloudStack) preview(t testing.TB, more ...string) *engine.Preview {
	t.Helper()
	p, out, err := s.Preview(t.Context(), filepath.Join(t.TempDir(), "events"), more...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hides(t, out)
	return p
}

// planned is a preview with what depends on what: rules follow references by that where IDs are not known yet.
func (s *cloudStack) planned(t testing.TB) *engine.Preview {
	t.Helper()
	plan := filepath.Join(t.TempDir(), "plan")
	p := s.preview(t, "--save-plan", plan)
	text, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AddPlan(plan, text); err != nil {
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
