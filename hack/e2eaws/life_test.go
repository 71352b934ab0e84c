// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
)

// TestLife takes each environment from nothing to nothing.
func TestLife(t *testing.T) {
	for _, name := range given.stacks {
		t.Run(name, func(t *testing.T) { life(t, newStack(t, name)) })
	}
}

// larger is a database that no environment of the catalogue has, of the next minor release.
var larger = map[string]any{"database.instanceClass": "db.r6g.4xlarge", "database.engineVersion": "16.9"}

func life(t *testing.T, s *stack) {
	s.must(t, "up", "--yes")
	t.Logf("%s: %d resources", s.Name, len(s.resources(t)))
	s.still(t)

	t.Run("a larger database and its next minor release, in place", func(t *testing.T) {
		s.configure(t, larger)
		want := []string{"update aws:rds/cluster:Cluster", "update aws:rds/clusterInstance:ClusterInstance"}
		if planned := changes(s.plan(t)); !slices.Equal(planned, want) {
			t.Errorf("what is planned is %q", planned)
		}
		s.must(t, "up", "--yes")
		s.still(t)
	})

	t.Run("another subnet replaces what is in it", func(t *testing.T) { oneSubnet(t, s) })
	t.Run("another network replaces what is in it, and nothing that holds data", func(t *testing.T) { network(t, s) })

	before := s.resources(t)
	t.Run("it is not destroyed by mistake", func(t *testing.T) {
		s.refused(t, "protect", "destroy", "--yes")
		if now := s.resources(t); len(now) != len(before) {
			t.Errorf("%d resources are left of %d", len(now), len(before))
		}
	})
	t.Run("without Pulumi's protection AWS refuses", func(t *testing.T) {
		s.must(t, "state", "unprotect", "--all", "--yes")
		balancer := slices.IndexFunc(before, func(urn string) bool {
			return strings.HasSuffix(urn, "aws:lb/loadBalancer:LoadBalancer::"+s.Name+"-messaging")
		})
		if balancer < 0 {
			t.Fatalf("there is no balancer of messages among %q", before)
		}
		s.refused(t, "deletion protection", "destroy", "--yes", "--target", before[balancer], "--target-dependents")
	})

	// Two people have agreed: an update that the rules let through for a waiver only takes AWS's protection off. It makes
	// again what the attempt above got at.
	deletable := map[string]any{"recovery.deletion": "Allowed", "waivers": waived(before)}
	for path, value := range larger {
		deletable[path] = value
	}
	s.configure(t, deletable)
	s.must(t, "up", "--yes")
	s.must(t, "state", "unprotect", "--all", "--yes")
	s.must(t, "destroy", "--yes")
	if left := s.resources(t); len(left) > 0 {
		t.Errorf("it left %q", left)
	}
}

// oneSubnet holds what hangs on the identity of one subnet: machines and balancers of other zones stay.
func oneSubnet(t *testing.T, s *stack) {
	subnet := ""
	for _, urn := range s.resources(t) {
		if strings.HasSuffix(urn, "aws:ec2/subnet:Subnet::"+s.Name+"-apps-a") {
			subnet = urn
		}
	}
	machines := false
	for _, step := range s.plan(t, "--replace", subnet).Steps {
		if !step.Custom || step.Operation != policy.Replace {
			continue
		}
		machines = machines || step.Type == "aws:eks/nodeGroup:NodeGroup"
		// A group of machines is in one zone, and what is attached to it is its own.
		in := strings.HasSuffix(step.Name, "-a") || strings.HasSuffix(step.Name, "2a")
		endpoint := step.Type == "aws:ec2/vpcEndpoint:VpcEndpoint"
		if !in || endpoint {
			t.Errorf("it is planned as: replace %s %s", step.Type, step.Name)
		}
	}
	if !machines {
		t.Error("the machines in the subnet stay")
	}
}

// lasting are what holds data, keys or evidence, and what others know an environment by. A broker is none of them: it cannot
// move to another network, and everything in it can be had again from the database.
var lasting = []string{
	"aws:rds/cluster:", "aws:rds/clusterInstance:", "aws:s3/bucketV2:", "aws:kms/key:", "aws:backup/vault:", "aws:dynamodb/table:",
	"aws:cloudtrail/trail:", "aws:route53/zone:", "aws:iam/role:", "aws:acm/certificate:",
}

// network holds the plan of a network with other addresses. A live environment refuses it, as it would lose what Pulumi
// protects; what is looked at here is what would be replaced.
func network(t *testing.T, s *stack) {
	other := map[string]any{"network.cidr": "10.250.0.0/16"}
	for path, value := range larger {
		other[path] = value
	}
	s.configure(t, other)
	defer s.configure(t, larger)
	steps := s.planAnyway(t).Steps
	if !slices.ContainsFunc(steps, func(step engine.Step) bool {
		return step.Operation == policy.Replace && step.Type == "aws:ec2/subnet:Subnet"
	}) {
		t.Error("no subnet is replaced")
	}
	for _, step := range steps {
		gone := step.Operation == policy.Replace || step.Operation == policy.Delete
		if gone && slices.ContainsFunc(lasting, func(kind string) bool { return strings.HasPrefix(step.Type, kind) }) {
			t.Errorf("it is planned as: %s %s %s", step.Operation, step.Type, step.Name)
		}
	}
}

// guarded are the rules about what AWS refuses to delete, by the end of its type.
var guarded = map[string]string{
	"aws:rds/cluster:Cluster":          "database-deletion-protected",
	"aws:dynamodb/table:Table":         "database-deletion-protected",
	"aws:lb/loadBalancer:LoadBalancer": "balancer-protected",
}

// waived are the waivers of a destroy, one for each thing that AWS refuses to delete.
func waived(urns []string) []any {
	now := time.Now()
	var out []any
	for _, urn := range urns {
		parts := strings.Split(urn, "::")
		rule := guarded[parts[2][strings.LastIndex(parts[2], "$")+1:]]
		if rule == "" {
			continue
		}
		out = append(out, map[string]any{
			"rule": rule, "resource": parts[len(parts)-1], "owner": "e2e@example.nhs.uk", "reason": "the run deletes what it made",
			"from": now.AddDate(0, 0, -1).Format(time.DateOnly), "until": now.AddDate(0, 0, 2).Format(time.DateOnly),
		})
	}
	return out
}

// still holds that neither a plan nor a look at what is there finds anything to do.
func (s *stack) still(t *testing.T) {
	t.Helper()
	s.must(t, "preview", "--expect-no-changes", "--diff")
	s.must(t, "refresh", "--preview-only", "--expect-no-changes", "--diff")
}

// refused holds that pulumi fails, and says why.
func (s *stack) refused(t *testing.T, why string, args ...string) {
	t.Helper()
	out, err := s.run(t, args...)
	if err == nil {
		t.Fatalf("pulumi %s went through:\n%s", strings.Join(args, " "), out)
	}
	if !strings.Contains(strings.ToLower(out), why) {
		t.Errorf("the refusal does not say %q:\n%s", why, out)
	}
}
