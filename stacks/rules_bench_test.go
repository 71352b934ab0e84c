// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// many is the size of a large stack.
const many = 2000

// BenchmarkRules previews a stack of 2,000 resources four ways, one after the other, and reports how much longer each
// takes than the bare preview: with an analyzer that says nothing (what the engine itself spends on asking), with the
// rules, and with the rules and stackdiff's report. It does so with three providers:
//
//   - "at once" answers without doing anything, and its resources are the smallest: the worst case;
//   - "stand-in" holds the resources that ers-live plans, under ever new names, against the SDK's schema;
//   - "provider" has the provider's own code plan them. It needs SPINE_AWS_PLUGIN, as `make e2e-aws` does.
//
// The goal, at most 25 % for rules and report together, counts where a provider does what providers do.
//
//	go test -tags offline -run '^$' -bench Rules -benchtime 3x ./stacks
func BenchmarkRules(b *testing.B) {
	b.Run("at once", func(b *testing.B) { measure(b, newStack(b, newDouble(b)), "test", withProvider(large)) })
	plugins := map[string]string{"stand-in": standIn(b)}
	if dir := os.Getenv("SPINE_AWS_PLUGIN"); dir != "" {
		plugins["provider"] = dir
	}
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		b.Run(name, func(b *testing.B) {
			stack := newStack(b, newDouble(b))
			// In place of the double, the plugin that is found first.
			stack.Env = append(stack.Env, "PULUMI_DEBUG_PROVIDERS=", "PATH="+plugins[name]+":"+stack.Path())
			if out, err := stack.run(b, nil, "stack", "init", modelled); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			measure(b, stack, modelled, repeated(planOf(b, modelled), many))
		})
	}
}

// measure previews a program on a stack in each way.
func measure(b *testing.B, stack *testStack, name string, program pulumi.RunFunc) {
	b.Helper()
	host := serveProgram(b, program)
	command := buildStackdiff(b)
	log, plan := filepath.Join(b.TempDir(), "log"), filepath.Join(b.TempDir(), "plan")
	preview := func(pack string, more ...string) {
		b.Helper()
		extra := []string{"PULUMI_DEBUG_COMMANDS=true", "PULUMI_OPTION_POLICY_PACK=" + pack}
		if out, err := stack.run(b, extra, append([]string{"preview", "--stack", name, "--client", host}, more...)...); err != nil {
			b.Fatalf("%v\n%s", err, out[max(0, len(out)-3000):])
		}
	}
	silent := silentPack(b, stack)
	arms := []struct {
		name string
		run  func()
	}{
		{"bare", func() { preview("") }},
		{"silent", func() { preview(silent) }},
		{"rules", func() { preview(stack.pack) }},
		{"report", func() {
			preview(stack.pack, "--event-log", log, "--save-plan", plan)
			cmd := exec.CommandContext(b.Context(), command, "preview", "--events", log, "--plan", plan, "-o", "html")
			cmd.Dir = stack.project
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out[max(0, len(out)-3000):])
			}
		}},
	}
	arms[2].run() // builds the analyzer
	took, cpu := make([]time.Duration, len(arms)), make([]time.Duration, len(arms))
	for b.Loop() {
		for i, arm := range arms {
			began, used := time.Now(), processor(b)
			arm.run()
			took[i] += time.Since(began)
			cpu[i] += processor(b) - used
		}
	}
	for i, arm := range arms {
		b.ReportMetric(took[i].Seconds()/float64(b.N), arm.name+"-s")
		b.ReportMetric(cpu[i].Seconds()/float64(b.N), arm.name+"-cpu-s")
		if i > 0 {
			b.ReportMetric(100*(took[i].Seconds()/took[0].Seconds()-1), arm.name+"-%")
			b.ReportMetric(100*(cpu[i].Seconds()/cpu[0].Seconds()-1), arm.name+"-cpu-%")
		}
	}
}

// processor is the processor time of this process, in which program and provider run, and of all that it has run: it
// tells something on a busy machine, too.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// large keeps all rules: what an estate has most of.
func large(ctx *pulumi.Context, p pulumi.ProviderResource) error {
	kinds := []struct {
		token  string
		inputs pulumi.Map
	}{
		{"aws:ec2/subnet:Subnet", pulumi.Map{"vpcId": pulumi.String("vpc-1"), "cidrBlock": pulumi.String("10.160.0.0/20"), "availabilityZone": pulumi.String("eu-west-2a")}},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", pulumi.Map{"type": pulumi.String("ingress"), "protocol": pulumi.String("tcp"), "fromPort": pulumi.Int(5432),
			"toPort": pulumi.Int(5432), "cidrBlocks": pulumi.ToStringArray([]string{"10.160.0.0/16"}), "securityGroupId": pulumi.String("sg-1")}},
		{"aws:cloudwatch/logGroup:LogGroup", pulumi.Map{"name": pulumi.String("/spine/x"), "retentionInDays": pulumi.Int(365), "kmsKeyId": pulumi.String("arn:aws:kms:eu-west-2:1:key/k")}},
		{"aws:rds/cluster:Cluster", pulumi.Map{"storageEncrypted": pulumi.Bool(true), "kmsKeyId": pulumi.String("k"), "backupRetentionPeriod": pulumi.Int(35),
			"deletionProtection": pulumi.Bool(true), "masterPassword": pulumi.ToSecret(pulumi.String(planted)), "tags": pulumi.ToStringMap(map[string]string{"a": "b", "c": "d"})}},
		{"aws:kms/key:Key", pulumi.Map{"enableKeyRotation": pulumi.Bool(true), "description": pulumi.String("of one service"), "policy": pulumi.String(`{"Version":"2012-10-17","Statement":[]}`)}},
	}
	for i := range many {
		kind := kinds[i%len(kinds)]
		if err := register(ctx, p, kind.token, fmt.Sprintf("r-%04d", i), kind.inputs); err != nil {
			return err
		}
	}
	return nil
}

// silent is the least that an analyzer can be.
type silent struct {
	pulumirpc.UnimplementedAnalyzerServer
}

func (silent) Analyze(context.Context, *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

func (silent) AnalyzeStack(context.Context, *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

func (silent) Remediate(context.Context, *pulumirpc.AnalyzeRequest) (*pulumirpc.RemediateResponse, error) {
	return &pulumirpc.RemediateResponse{}, nil
}

func (silent) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	return &pulumirpc.AnalyzerInfo{Name: "silent", Version: "1.0.0"}, nil
}

func (silent) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

// silentPack is a pack whose analyzer is in the test: what the engine starts only tells it the port.
func silentPack(b *testing.B, s *testStack) string {
	b.Helper()
	port := serve(b, func(g *grpc.Server) { pulumirpc.RegisterAnalyzerServer(g, silent{}) })
	pack, bin := b.TempDir(), b.TempDir()
	if err := os.WriteFile(filepath.Join(pack, "PulumiPolicy.yaml"), []byte("runtime: silent\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho %d\nexec sleep 3600\n", port)
	if err := os.WriteFile(filepath.Join(bin, "pulumi-analyzer-policy-silent"), []byte(script), 0o700); err != nil {
		b.Fatal(err)
	}
	s.Env = append(s.Env, "PATH="+bin+":"+s.Path())
	return pack
}
