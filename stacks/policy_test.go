// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/stacks/stacktest"
)

// planted is a secret in every place where one can hide.
const planted = stacktest.Planted

// TestRulesHoldInsideUp runs the real pulumi with the rules attached as `make env` does it, against a double of AWS: an
// update that breaks a mandatory rule changes nothing.
func TestRulesHoldInsideUp(t *testing.T) {
	cloud := newDouble(t)
	stack := newStack(t, cloud)

	t.Run("what breaks a rule changes nothing", func(t *testing.T) {
		out, err := stack.up(t, "", database(false))
		for _, want := range []string{"database-deletion-protected", "deletionProtection: is false, and it must be true", "Fix: Set deletionProtection", "CAF B5"} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
		stack.unchanged(t, out, err)
	})

	t.Run("nor what breaks a rule over the whole stack", func(t *testing.T) {
		out, err := stack.up(t, "", bucket)
		if !strings.Contains(out, "the bucket has no BucketPublicAccessBlock") {
			t.Errorf("the rule does not speak:\n%s", out)
		}
		stack.unchanged(t, out, err)
	})

	t.Run("a waiver covers what it names, and no more", func(t *testing.T) {
		out, err := stack.up(t, waiver("database-deletion-protected", "db", time.Now().AddDate(0, 0, 30)), both)
		if !strings.Contains(out, "Waived until") || !strings.Contains(out, "for db covers 1") {
			t.Errorf("the waiver is not shown:\n%s", out)
		}
		stack.unchanged(t, out, err) // the bucket is not waived
	})

	t.Run("an expired one covers nothing", func(t *testing.T) {
		out, err := stack.up(t, waiver("database-deletion-protected", "db", time.Now().AddDate(0, 0, -1)), database(false))
		if !strings.Contains(out, "covers nothing any more: remove it") {
			t.Errorf("the waiver is not shown:\n%s", out)
		}
		stack.unchanged(t, out, err)
	})

	t.Run("a waived resource is made, and a remediation is shown and done", func(t *testing.T) {
		out, err := stack.up(t, waiver("database-deletion-protected", "db", time.Now().AddDate(0, 0, 30)), func(ctx *pulumi.Context, p pulumi.ProviderResource) error {
			if err := database(false)(ctx, p); err != nil {
				return err
			}
			return register(ctx, p, "aws:kms/key:Key", "key", pulumi.Map{"enableKeyRotation": pulumi.Bool(false)})
		})
		if err != nil || !slices.Equal(cloud.created(), []string{"db", "key"}) {
			t.Fatalf("made: %v, %v\n%s", cloud.created(), err, out)
		}
		if !strings.Contains(out, "[remediate]  key-rotated") || cloud.input("key", "enableKeyRotation") != true {
			t.Errorf("the key is not rotated, or it is not said: %v\n%s", cloud.input("key", "enableKeyRotation"), out)
		}
		hides(t, out)
	})

	t.Run("a state is judged without a program", func(t *testing.T) {
		out, err := stack.run(t, nil, "policy", "analyze", "--stack", "test", "--policy-pack", stack.pack)
		if err == nil || !strings.Contains(out, "database-deletion-protected") {
			t.Errorf("the state passes: %v\n%s", err, out)
		}
		hides(t, out)
	})
}

type programFunc func(*pulumi.Context, pulumi.ProviderResource) error

func register(ctx *pulumi.Context, p pulumi.ProviderResource, token, name string, inputs pulumi.Map) error {
	var r pulumi.CustomResourceState
	return ctx.RegisterResource(token, name, inputs, &r, pulumi.Provider(p))
}

// database is a good one but for its protection; its password is a secret that stands in a name, too.
func database(deletionProtection bool) programFunc {
	return func(ctx *pulumi.Context, p pulumi.ProviderResource) error {
		return register(ctx, p, "aws:rds/cluster:Cluster", "db", pulumi.Map{
			"storageEncrypted": pulumi.Bool(true), "kmsKeyId": pulumi.String("k"), "backupRetentionPeriod": pulumi.Int(35),
			"deletionProtection": pulumi.Bool(deletionProtection), "masterPassword": pulumi.ToSecret(pulumi.String(planted)),
			"nested": pulumi.Map{"list": pulumi.Array{pulumi.ToSecret(pulumi.String(planted + "-2"))}},
		})
	}
}

func bucket(ctx *pulumi.Context, p pulumi.ProviderResource) error {
	return register(ctx, p, "aws:s3/bucketV2:BucketV2", "messages", pulumi.Map{"bucket": pulumi.String("messages")})
}

func both(ctx *pulumi.Context, p pulumi.ProviderResource) error {
	if err := database(false)(ctx, p); err != nil {
		return err
	}
	return bucket(ctx, p)
}

func waiver(rule, resource string, until time.Time) string {
	return fmt.Sprintf("waivers: [{rule: %s, resource: %s, owner: a@example.nhs.uk, reason: it is a test of the rules, from: \"%s\", until: \"%s\"}]",
		rule, resource, until.AddDate(0, 0, -60).Format(time.DateOnly), until.Format(time.DateOnly))
}

// testStack is a stack in a backend of the test's own, whose program runs in the test.
type testStack struct {
	*stacktest.Pulumi
	cloud         *double
	project, pack string
}

func newStack(t testing.TB, cloud *double) *testStack {
	t.Helper()
	s := &testStack{Pulumi: newPulumi(t), cloud: cloud, project: t.TempDir(), pack: rules(t)}
	s.Env = append(s.Env, fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", cloud.port))
	if err := s.Init(t.Context(), s.project, "test"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *testStack) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.project, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *testStack) run(t testing.TB, extra []string, args ...string) (string, error) {
	t.Helper()
	cmd := s.In(t.Context(), s.project, args...)
	cmd.Env = append(slices.Clone(cmd.Env), extra...)
	return stacktest.Said(cmd)
}

// up is plain `pulumi up`, in which only the environment speaks of rules.
func (s *testStack) up(t *testing.T, environment string, program programFunc) (string, error) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(s.project, "Pulumi.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	salt, _, _ := strings.Cut(string(config), "config:")
	s.write(t, "Pulumi.test.yaml", salt+"config:\n  spine:environment:\n    name: test\n    "+environment+"\n")
	host := serveProgram(t, withProvider(program))
	return s.run(t, []string{stacktest.Attached(s.pack)}, "up", "--yes", "--stack", "test", "--client", host, "--diff")
}

// withProvider gives a program the provider that an environment has, which keeps the rules.
func withProvider(program programFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var p pulumi.ProviderResourceState
		err := ctx.RegisterResource("pulumi:providers:aws", "own", pulumi.Map{
			"region": pulumi.String("eu-west-2"), "allowedAccountIds": pulumi.ToStringArray([]string{"111111111111"}),
			"defaultTags": pulumi.Map{"tags": pulumi.ToStringMap(map[string]string{"spine.nhs.uk/environment": "test", "spine.nhs.uk/owner": "a"})},
		}, &p)
		if err != nil {
			return err
		}
		return program(ctx, &p)
	}
}

// unchanged holds that an update failed, and that neither the cloud nor the state has anything.
func (s *testStack) unchanged(t *testing.T, out string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("the update went through:\n%s", out)
	}
	if made := s.cloud.created(); len(made) > 0 {
		t.Errorf("it made %v:\n%s", made, out)
	}
	state, err := s.run(t, nil, "stack", "export", "--stack", "test")
	if err != nil {
		t.Fatalf("%v\n%s", err, state)
	}
	var exported struct {
		Deployment struct{ Resources []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(state), &exported); err != nil || len(exported.Deployment.Resources) > 0 {
		t.Errorf("the state has %d resources, %v", len(exported.Deployment.Resources), err)
	}
	hides(t, out)
}

func hides(t testing.TB, out string) {
	t.Helper()
	if strings.Contains(out, planted) {
		t.Errorf("a secret is shown:\n%s", out)
	}
}
