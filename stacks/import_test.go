// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// standing is a double of an account in which things stand that Pulumi knows nothing of.
type standing struct {
	changing
	things map[string]map[string]any // by ID
}

func (s standing) Read(ctx context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	thing, ok := s.things[r.GetId()]
	if !ok {
		return s.changing.Read(ctx, r)
	}
	properties, err := structpb.NewStruct(thing)
	return &pulumirpc.ReadResponse{Id: r.GetId(), Inputs: properties, Properties: properties}, err
}

// TestRulesAreAskedOfImports: Pulumi itself asks none there.
func TestRulesAreAskedOfImports(t *testing.T) {
	good := map[string]any{"storageEncrypted": true, "kmsKeyId": "k", "backupRetentionPeriod": 35, "deletionProtection": true, "masterPassword": planted}
	bad := map[string]any{"storageEncrypted": true, "kmsKeyId": "k", "backupRetentionPeriod": 35, "deletionProtection": false, "masterPassword": planted}
	cloud := standing{changing{&double{made: map[string]map[string]any{}}}, map[string]map[string]any{"db-good": good, "db-bad": bad, "bucket": {"bucket": "bucket"}}}
	cloud.port = serve(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, cloud) })
	stack, command := newStack(t, cloud.double), buildStackdiff(t)
	run := func(args ...string) {
		t.Helper()
		if out, err := stack.run(t, nil, args...); err != nil {
			t.Fatalf("pulumi %v: %v\n%s", args, err, out)
		}
	}
	run("stack", "init", "live")
	run("up", "--yes", "--stack", "live", "--client", serveProgram(t, withProvider(func(*pulumi.Context, pulumi.ProviderResource) error { return nil })))
	file := filepath.Join(t.TempDir(), "import.json")
	asked := func(kind, id string) (string, int) {
		t.Helper()
		text := `{"nameTable": {"own": "urn:pulumi:live::spine::pulumi:providers:aws::own"},
			"resources": [{"type": "` + kind + `", "name": "old", "id": "` + id + `", "provider": "own"}]}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return stack.command(t, command, nil, "preview", "--import", file, "-s", "live")
	}
	for id, want := range map[string]struct {
		kind  string
		code  int
		wants []string
	}{
		"db-good": {"aws:rds/cluster:Cluster", 0, []string{"What an import would take into live"}},
		"db-bad":  {"aws:rds/cluster:Cluster", 2, []string{"do not run this import", "database-deletion-protected"}},
		"bucket":  {"aws:s3/bucketV2:BucketV2", 2, []string{"the bucket has no BucketPublicAccessBlock"}},
		"nothing": {"aws:rds/cluster:Cluster", 2, []string{"does not exist"}},
	} {
		out, code := asked(want.kind, id)
		for _, w := range want.wants {
			if code != want.code || !strings.Contains(out, w) {
				t.Errorf("%s: exit code %d, want %d; %q is not in\n%s", id, code, want.code, w, out)
			}
		}
	}
}
