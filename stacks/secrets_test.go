// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// leaky is a double that repeats a secret wherever a provider can.
type leaky struct{ *double }

func (l leaky) Check(ctx context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	if strings.Contains(r.GetUrn(), "::refused") {
		return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{Property: "password", Reason: planted + "-config is too short"}}}, nil
	}
	return l.double.Check(ctx, r)
}

func (l leaky) Create(ctx context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if strings.Contains(r.GetUrn(), "::failing") && !r.GetPreview() {
		return nil, errors.New("the log-in with " + planted + "-config failed")
	}
	made, err := l.double.Create(ctx, r)
	if err == nil {
		made.Properties.Fields["address"] = structpb.NewStringValue("postgres://robot:" + planted + "-config@db:5432")
		made.Properties.Fields["plain"] = structpb.NewStringValue("by " + planted + "-config")
	}
	return made, err
}

// TestSecretsAreShownNowhere plants a secret in every place of a real run where one can hide: the configuration, inputs
// and outputs, nested ones, in names that say nothing, a rule's finding, what the program and the provider say, errors,
// and the names of things. What stackdiff writes, in every form, and the rules, holds none; nor do the logs that
// Pulumi keeps of stackdiff's own calls.
func TestSecretsAreShownNowhere(t *testing.T) {
	cloud := leaky{&double{made: map[string]map[string]any{}}}
	cloud.port = serve(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, cloud) })
	stack, command := newStack(t, cloud.double), buildStackdiff(t)
	home := t.TempDir()
	stack.Env = append(stack.Env, "PULUMI_HOME="+home)
	if out, err := stack.run(t, nil, "config", "set", "--secret", "spine:word", planted+"-config", "--stack", "test"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program := func(more ...string) programFunc {
		return func(ctx *pulumi.Context, p pulumi.ProviderResource) error {
			word := planted + "-config" // somebody took the mark off
			inputs := func() pulumi.Map {
				return pulumi.Map{
					"deletionProtection": pulumi.String(word), "masterPassword": pulumi.ToSecret(pulumi.String(planted)),
					"nested": pulumi.Map{"list": pulumi.Array{pulumi.Map{"harmless": pulumi.String("x " + word), "marked": pulumi.ToSecret(pulumi.String(planted + "-2"))}}},
					"json":   pulumi.String(`{"a":{"b":"` + word + `"}}`),
				}
			}
			for _, name := range append([]string{"db"}, more...) {
				if err := register(ctx, p, "aws:rds/cluster:Cluster", name, inputs()); err != nil {
					return err
				}
			}
			return errors.Join(ctx.Log.Info("the word is "+word, nil), ctx.Log.Warn("again: "+word, nil))
		}
	}
	for name, names := range map[string][]string{"a change": nil, "a refusal": {"refused"}, "a name": {"of-" + planted + "-config"}} {
		t.Run(name, func(t *testing.T) {
			client := "PULUMI_OPTION_CLIENT=" + serveProgram(t, withProvider(program(names...)))
			for _, format := range []string{"text", "markdown", "html", "json"} {
				out, exit := stack.command(t, command, []string{client, "PULUMI_OPTION_POLICY_PACK=" + stack.pack}, "preview", "-s", "test", "-o", format)
				if exit != 2 || !strings.Contains(strings.ReplaceAll(out, `\`, ""), "[secret]") {
					t.Errorf("exit code %d:\n%s", exit, out)
				}
			}
		})
	}
	t.Run("a history", func(t *testing.T) {
		client := serveProgram(t, withProvider(program("failing")))
		if out, err := stack.run(t, nil, "up", "--yes", "--stack", "test", "--message", "Say "+planted+"-config", "--client", client); err == nil {
			t.Fatalf("it did not fail:\n%s", out)
		}
		for _, format := range []string{"text", "json"} {
			if out, exit := stack.command(t, command, nil, "history", "-s", "test", "-o", format); exit != 0 || !strings.Contains(out, "[secret]") {
				t.Errorf("exit code %d:\n%s", exit, out)
			}
		}
	})
	t.Run("Pulumi's own logs", func(t *testing.T) {
		logs, err := filepath.Glob(filepath.Join(home, "logs", "*"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("there are none: %v", err)
		}
		for _, log := range logs {
			if text := unpacked(t, log); strings.Contains(text, planted) {
				i := strings.Index(text, planted)
				t.Errorf("%s shows a secret: ...%s...", filepath.Base(log), text[max(0, i-200):min(len(text), i+60)])
			}
		}
	})
}

// unpacked is a log of Pulumi's, which is compressed as long as it is not encrypted.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if z, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
		if text, err = io.ReadAll(z); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	}
	return string(text)
}
