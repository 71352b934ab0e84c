// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
)

// breaks are ways to spoil a good plan: a change of one resource of a type, the first whose name has the suffix, and the
// rule or invariant that names it.
var breaks = []struct {
	what, kind, suffix string
	change             func(r *policy.Resource)
	named              string
}{
	{"in another region", "pulumi:providers:aws", "", set("eu-west-1", "region"), "residency"},
	{"an unencrypted database", "aws:rds/cluster:Cluster", "", set(false, "storageEncrypted"), "database-encrypted"},
	{"an unencrypted bucket", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "", set([]any{}, "rules"), "bucket-encrypted"},
	{"a database without TLS", "aws:rds/clusterParameterGroup:ClusterParameterGroup", "", set([]any{}, "parameters"), "database-tls"},
	{"an edge with old TLS", "aws:lb/listener:Listener", "-booking", set("ELBSecurityPolicy-2016-08", "sslPolicy"), "tls-only"},
	{"a public database", "aws:rds/clusterInstance:ClusterInstance", "", set(true, "publiclyAccessible"), "database-private"},
	{"a public API", "aws:eks/cluster:Cluster", "", set(true, "vpcConfig", "endpointPublicAccess"), "cluster-private"},
	{"a machine on the Internet", "aws:ec2/subnet:Subnet", "", set(true, "mapPublicIpOnLaunch"), "no public path but the edge"},
	{"an open port behind the edge", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "", func(r *policy.Resource) {
		set(everywhere, "cidrIpv4")(r)
		set(22.0, "fromPort")(r)
	}, "no public path but the edge"},
	{"a database that can be deleted", "aws:rds/cluster:Cluster", "", set(false, "deletionProtection"), "database-deletion-protected"},
	{"a database without backups", "aws:rds/cluster:Cluster", "", set(1.0, "backupRetentionPeriod"), "database-backups"},
	{"a backup plan that forgets", "aws:backup/plan:Plan", "", set([]any{}, "rules"), "backup-plan"},
	{"data that Pulumi may delete", "aws:s3/bucketV2:BucketV2", "", func(r *policy.Resource) { r.Protect = false }, "protected"},
	{"a zone less", "aws:ec2/subnet:Subnet", "-apps-a", set("eu-west-2b", "availabilityZone"), "in three zones"},
	{"a broker in two zones", "aws:mq/broker:Broker", "", set([]any{"a", "b"}, "subnetIds"), "in three zones"},
	{"no owner", "pulumi:providers:aws", "", remove("defaultTags", "tags", "spine.nhs.uk/owner"), "owned"},
	{"no cost centre", "pulumi:providers:aws", "", remove("defaultTags", "tags", "cost-centre"), "every tag"},
	{"a wildcard", "aws:iam/rolePolicy:RolePolicy", "", set(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "policy"), "no wildcard permission"},
	{"a deployment without rights", "aws:iam/policy:Policy", "-deploy-d", set(`{"Statement":[]}`, "policy"), "the deployment's role has what it needs"},
	{"a budget that tells nobody", "aws:budgets/budget:Budget", "", set([]any{}, "notifications"), "a budget tells somebody"},
	{"logs for a month", "aws:cloudwatch/logGroup:LogGroup", "", set(30.0, "retentionInDays"), "logs-kept"},
	{"a bucket that is read without TLS", "aws:s3/bucketPolicy:BucketPolicy", "", set(`{"Statement":[]}`, "policy"), "TLS to buckets"},
	{"machines that nobody has priced", "aws:eks/nodeGroup:NodeGroup", "", set([]any{"x9.huge"}, "instanceTypes"), "everything has a price"},
}

// breakEach spoils a good plan in each way, and sees it named.
func breakEach(t *testing.T, p *engine.Preview) {
	t.Helper()
	good := policy.Stack{Environment: policy.Environment{Project: p.Project, Stack: p.Stack}, Resources: p.Resources()}
	before := broken(good, nil)
	for _, b := range breaks {
		bad := good
		bad.Resources = slices.Clone(good.Resources)
		found := false
		for i := range bad.Resources {
			r := &bad.Resources[i]
			if r.Type != b.kind || !strings.HasSuffix(r.Name, b.suffix) {
				continue
			}
			r.Inputs = cloned(t, r.Inputs)
			b.change(r)
			found = true
			break
		}
		if !found {
			t.Errorf("%s: there is no %s *%s to spoil", b.what, b.kind, b.suffix)
			continue
		}
		// What hangs on the provider's settings sees them through each resource.
		if b.kind == "pulumi:providers:aws" {
			share(&bad)
		}
		if !slices.ContainsFunc(broken(bad, nil), func(v string) bool { return strings.HasPrefix(v, b.named+": ") && !slices.Contains(before, v) }) {
			t.Errorf("%s is not named by %s", b.what, b.named)
		}
	}
}

// share gives every resource the settings that its provider has now.
func share(s *policy.Stack) {
	settings := map[string]map[string]any{}
	for _, r := range of(*s, "pulumi:providers:aws") {
		settings[r.URN] = r.Inputs
	}
	for i := range s.Resources {
		if p := s.Resources[i].Provider; p != nil && settings[p.URN] != nil {
			changed := *p
			changed.Inputs = settings[p.URN]
			s.Resources[i].Provider = &changed
		}
	}
}

// set is a change of the input at a path.
func set(value any, path ...string) func(*policy.Resource) {
	return func(r *policy.Resource) {
		if at := down(r.Inputs, path); at != nil {
			at[path[len(path)-1]] = value
		}
	}
}

// remove takes the input at a path away.
func remove(path ...string) func(*policy.Resource) {
	return func(r *policy.Resource) { delete(down(r.Inputs, path), path[len(path)-1]) }
}

// down is the map that holds the last key of a path; nil when there is none.
func down(at map[string]any, path []string) map[string]any {
	for _, key := range path[:len(path)-1] {
		at, _ = at[key].(map[string]any)
	}
	return at
}

// cloned is a deep copy of a resource's inputs; the marks of what is hidden become texts, which no break is about.
func cloned(t *testing.T, inputs map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return policy.FromJSON(out).(map[string]any)
}
