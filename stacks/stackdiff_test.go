// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// changing is the double, that also says what differs.
type changing struct{ *double }

func (c changing) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	out := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}, HasDetailedDiff: true}
	for key, is := range r.GetNews().GetFields() {
		if proto.Equal(is, r.GetOldInputs().GetFields()[key]) {
			continue
		}
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
		kind := pulumirpc.PropertyDiff_UPDATE
		if key == "availabilityZone" {
			kind, out.Replaces = pulumirpc.PropertyDiff_UPDATE_REPLACE, []string{key}
		}
		out.Diffs = append(out.Diffs, key)
		out.DetailedDiff[key] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
	}
	return out, nil
}

func (changing) Update(_ context.Context, r *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	return &pulumirpc.UpdateResponse{Properties: r.GetNews()}, nil
}

// Read finds what was made, and what somebody changed by hand.
func (c changing) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	inputs, properties := r.GetInputs(), r.GetProperties()
	for key, is := range c.drifts {
		value, err := structpb.NewValue(is)
		if err != nil {
			return nil, err
		}
		if _, there := inputs.GetFields()[key]; there {
			inputs.Fields[key], properties.Fields[key] = value, value
		}
	}
	return &pulumirpc.ReadResponse{Id: r.GetId(), Inputs: inputs, Properties: properties}, nil
}

func (changing) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// estate is a small environment, before and after a change with one instance of each class of risk.
func estate(changed bool) programFunc {
	pick := func(before, after any) pulumi.Input {
		if changed {
			return pulumi.Any(after)
		}
		return pulumi.Any(before)
	}
	return func(ctx *pulumi.Context, p pulumi.ProviderResource) error {
		resources := []struct {
			token, name string
			inputs      pulumi.Map
		}{
			{"aws:rds/cluster:Cluster", "db", pulumi.Map{"deletionProtection": pick(true, false), "masterPassword": pulumi.ToSecret(pick(planted, planted+"-2"))}},
			{"aws:rds/clusterInstance:ClusterInstance", "db-1", pulumi.Map{"availabilityZone": pick("eu-west-2a", "eu-west-2b")}},
			{"aws:ec2/securityGroup:SecurityGroup", "door", pulumi.Map{"ingress": pick([]any{}, []any{map[string]any{"cidrBlocks": []any{"0.0.0.0/0"}}})}},
			{"aws:eks/nodeGroup:NodeGroup", "workers", pulumi.Map{"scalingConfig": pick(map[string]any{"desiredSize": 6}, map[string]any{"desiredSize": 3})}},
			{"aws:backup/plan:Plan", "copies", pulumi.Map{"target": pick("arn:aws:backup:eu-west-2:1:a", "arn:aws:backup:us-east-1:1:a")}},
			{"aws:iam/policy:Policy", "deployer", pulumi.Map{"policy": pick(`{"Action":"s3:Get"}`, `{"Action":"*"}`)}},
			{"aws:ec2/instance:Instance", "jump", pulumi.Map{"instanceType": pulumi.String("t3.medium"), "userData": pick("password="+planted+"-3", "password="+planted+"-4")}},
		}
		if changed {
			resources = append(resources, struct {
				token, name string
				inputs      pulumi.Map
			}{"aws:ec2/natGateway:NatGateway", "way-out", pulumi.Map{}})
		}
		for _, r := range resources {
			if err := register(ctx, p, r.token, r.name, r.inputs); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestStackdiffReadsTheEngine has the real pulumi write event logs, plans and a history, and reads them by the command.
func TestStackdiffReadsTheEngine(t *testing.T) {
	cloud := changing{&double{made: map[string]map[string]any{}}}
	cloud.port = serve(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, cloud) })
	stack := newStack(t, cloud.double)
	run := func(program programFunc, args ...string) {
		t.Helper()
		host := serveProgram(t, func(ctx *pulumi.Context) error {
			var p pulumi.ProviderResourceState
			if err := ctx.RegisterResource("pulumi:providers:aws", "own", pulumi.Map{"region": pulumi.String("eu-west-2")}, &p); err != nil {
				return err
			}
			return program(ctx, &p)
		})
		if out, err := stack.run(t, []string{"PULUMI_DEBUG_COMMANDS=true"}, append(args, "--stack", "test", "--client", host)...); err != nil {
			t.Fatalf("pulumi %v: %v\n%s", args, err, out)
		}
	}
	run(estate(false), "up", "--yes")
	log, plan := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "plan")
	run(estate(true), "preview", "--event-log", log, "--save-plan", plan)
	run(estate(true), "up", "--yes")

	command := buildStackdiff(t)
	read := func(args ...string) string {
		t.Helper()
		out, _ := stack.command(t, command, nil, args...)
		return out
	}
	risks := []string{
		"Aurora cluster db: deletion protection is switched off", "it is opened to every address", "machines: 6 -> 3",
		"names us-east-1: data may leave the United Kingdom", "policy.Action: s3:Get -> *", "0.00 USD -> 36.50 USD a month",
		"Aurora instance db-1: replaced",
	}
	for name, out := range map[string]string{
		"preview": read("preview", "-s", "test", "--events", log, "--plan", plan),
		"history": read("history", "-s", "test"),
	} {
		for _, want := range risks {
			if !strings.Contains(out, want) {
				t.Errorf("the %s does not say %q:\n%s", name, want, out)
			}
		}
	}
	if out := read("preview", "--events", log); !strings.Contains(out, "replaced because of availabilityZone (eu-west-2a -> eu-west-2b)") {
		t.Errorf("the preview does not say why it replaces:\n%s", out)
	}
	if out := read("history", "-s", "test"); strings.Count(out, "it was run without the rules") != 2 {
		t.Errorf("the history does not say that no rules were asked:\n%s", out)
	}
	if text, err := os.ReadFile(log); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(log, text[:len(text)-40], 0o600); err != nil {
		t.Fatal(err)
	}
	if out := read("preview", "--events", log); !strings.Contains(out, "cut off") {
		t.Errorf("a log that is cut off: %s", out)
	}
}

// TestRulesAreAskedOfDestroyAndRefresh: Pulumi itself asks none there.
func TestRulesAreAskedOfDestroyAndRefresh(t *testing.T) {
	cloud := changing{&double{made: map[string]map[string]any{}}}
	cloud.port = serve(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, cloud) })
	stack, command := newStack(t, cloud.double), buildStackdiff(t)
	run := func(args ...string) {
		t.Helper()
		if out, err := stack.run(t, nil, args...); err != nil {
			t.Fatalf("pulumi %v: %v\n%s", args, err, out)
		}
	}
	asked := func(flag string, code int, wants ...string) {
		t.Helper()
		out, exit := stack.command(t, command, nil, "preview", flag, "-s", "live")
		for _, want := range wants {
			if exit != code || !strings.Contains(out, want) {
				t.Errorf("%s: exit code %d, want %d; %q is not in\n%s", flag, exit, code, want, out)
			}
		}
	}
	run("stack", "init", "live")
	run("up", "--yes", "--stack", "live", "--client", serveProgram(t, withProvider(database(true))))
	made := cloud.created()

	asked("--refresh", 0, "What a refresh would write into the state of live", "Nothing changes")
	cloud.drifts = map[string]any{"deletionProtection": false}
	asked("--refresh", 2, "do not run this refresh", "database-deletion-protected", "deletion protection is switched off")
	asked("--destroy", 2, "What a destroy would take away in live", "do not run this destroy", "never-discarded", "the update deletes what holds data")
	run("state", "protect", "--all", "--yes", "--stack", "live")
	asked("--destroy", 2, "protected")
	if now := cloud.created(); !slices.Equal(now, made) {
		t.Errorf("of %v are left %v", made, now)
	}
}

// command runs one of ours as a user of the stack does, and returns what it writes, and its exit code.
func (s *testStack) command(t *testing.T, path string, extra []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = s.project, append(slices.Clone(s.Env), extra...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	hides(t, string(out))
	return string(out), cmd.ProcessState.ExitCode()
}

// buildStackdiff returns the command.
func buildStackdiff(t testing.TB) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "stackdiff")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/stackdiff").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return command
}
