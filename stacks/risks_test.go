// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
	"spine.nhs.uk/controlplane/stacks/stacktest"
)

// risky is one change of ers-live with one instance of each class of risk, with what its report says of it.
var risky = []struct {
	class, kind, name string
	change            func(*policy.Resource)
	says              string
}{
	{"DATA LOSS", "aws:rds/cluster:Cluster", "ers-live-db", set(false, "deletionProtection"), "deletion protection is switched off"},
	{"EXPOSURE", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ers-live-db-from-1", func(r *policy.Resource) {
		delete(r.Inputs, "referencedSecurityGroupId")
		r.Inputs["cidrIpv4"] = everywhere
	}, "opened to every address"},
	{"AVAILABILITY", "aws:eks/nodeGroup:NodeGroup", "ers-live-general-a", set(1.0, "scalingConfig", "minSize"), "machines at least: 2 -> 1"},
	{"RESIDENCY", "aws:backup/plan:Plan", "ers-live-backup", abroad, "names us-east-1: data may leave the United Kingdom"},
	{"IDENTITY", "aws:iam/policy:Policy", "ers-live-deploy-a", func(r *policy.Resource) {
		r.Inputs["policy"] = anAction.ReplaceAllString(r.Inputs["policy"].(string), `${1}["*"]`)
	}, "-> *"},
	{"COST", "aws:ec2/natGateway:NatGateway", "ers-live-egress-a", nil, "0.00 USD -> 36.50 USD a month"},
}

// anAction is the list of actions of a statement.
var anAction = regexp.MustCompile(`("Action":)\[[^]]*\]`)

// firstPage is how many lines of a report are seen without scrolling.
const firstPage = 40

var timeOfReport = regexp.MustCompile(`ers-live, \S+Z`)

// TestFirstPageOfARealChange updates ers-live on the stand-in, with all its 300 resources, and previews a change with one
// instance of each class of risk: somebody who does not know the change finds all of them without scrolling.
func TestFirstPageOfARealChange(t *testing.T) {
	s, command := newCloudStack(t, modelled), buildStackdiff(t)
	s.omitPlatform(t)
	log := filepath.Join(t.TempDir(), "log")
	s.must(t, "up", "--yes", "--event-log", log)
	made, err := stacktest.ReadLog(log)
	if err != nil {
		t.Fatal(err)
	}
	host := serveProgram(t, repeated(changedRiskily(t, made.Steps), 1))
	prices, err := filepath.Abs("cmd/stackdiff/testdata/prices.book")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), command, "preview", "-s", modelled, "--config-file", s.Config, "--prices", prices)
	cmd.Dir, cmd.Env = "..", append(slices.Clone(s.Env), "PULUMI_OPTION_CLIENT="+host)
	out, err := cmd.Output()
	report := timeOfReport.ReplaceAllString(string(out), "ers-live, TIME")
	if cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("exit code %d, %v", cmd.ProcessState.ExitCode(), err)
	}
	hides(t, report)
	golden.Assert(t, report, filepath.Join("cloud", "risks.txt"))
	lines := strings.Split(report, "\n")
	page := strings.Join(lines[:min(len(lines), firstPage)], "\n")
	for _, r := range risky {
		_, section, found := strings.Cut(page, "\n"+r.class+"\n")
		section, _, _ = strings.Cut(section, "\n\n")
		if !found || !strings.Contains(section, r.says) {
			t.Errorf("%s: %q is not on the first page:\n%s", r.class, r.says, page)
		}
	}
}

// changedRiskily is what was made, with the risky change.
func changedRiskily(t *testing.T, made []engine.Step) []engine.Step {
	t.Helper()
	out := slices.Clone(made)
	for _, r := range risky {
		i := slices.IndexFunc(out, func(s engine.Step) bool { return s.Type == r.kind && (r.name == "" || s.Name == r.name) })
		if i < 0 {
			var names []string
			for _, s := range out {
				if s.Type == r.kind {
					names = append(names, s.Name)
				}
			}
			t.Fatalf("there is no %s %s, but %v", r.kind, r.name, names)
		}
		if r.change == nil { // one more of its kind
			more := out[i]
			more.Name, more.URN = more.Name+"-2", more.URN+"-2"
			out = append(out, more)
			continue
		}
		out[i].Inputs = cloned(t, out[i].Inputs)
		r.change(&out[i].Resource)
	}
	return out
}
