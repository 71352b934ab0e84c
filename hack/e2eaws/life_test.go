// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLife takes each environment from nothing to nothing.
func TestLife(t *testing.T) {
	for _, name := range given.stacks {
		t.Run(name, func(t *testing.T) { life(t, newStack(t, name)) })
	}
}

func life(t *testing.T, s *stack) {
	s.must(t, "up", "--yes")
	s.still(t)

	t.Run("a larger database and its next minor release, in place", func(t *testing.T) {
		s.configure(t, map[string]any{"database.instanceClass": "db.r6g.4xlarge", "database.engineVersion": "16.9"})
		for _, change := range changes(s.plan(t)) {
			if !strings.HasPrefix(change, "update aws:rds/cluster") {
				t.Errorf("it is planned as: %s", change)
			}
		}
		s.must(t, "up", "--yes")
		s.still(t)
	})

	t.Run("another network replaces what is in it, and nothing that holds data elsewhere", func(t *testing.T) {
		s.configure(t, map[string]any{"database.instanceClass": "db.r6g.4xlarge", "database.engineVersion": "16.9", "network.cidr": "10.250.0.0/16"})
		// A live environment refuses to lose its data, whatever is planned: what is asked here is what the plan says.
		replaced := changes(s.planAnyway(t))
		if !slices.ContainsFunc(replaced, func(c string) bool { return strings.HasPrefix(c, "replace aws:ec2/subnet:Subnet") }) {
			t.Errorf("no subnet is replaced: %q", replaced)
		}
		for _, change := range replaced {
			for _, kept := range []string{"aws:s3/bucketV2", "aws:kms/key", "aws:backup/vault:", "aws:dynamodb/table", "aws:route53/zone", "aws:iam/role:"} {
				if strings.HasPrefix(change, "replace "+kept) || strings.HasPrefix(change, "delete "+kept) {
					t.Errorf("it is planned as: %s", change)
				}
			}
		}
	})

	t.Run("it is not destroyed by mistake", func(t *testing.T) {
		s.configure(t, map[string]any{"database.instanceClass": "db.r6g.4xlarge", "database.engineVersion": "16.9"})
		out, err := s.run(t, "destroy", "--yes")
		if err == nil {
			t.Fatalf("it was:\n%s", out)
		}
		if !strings.Contains(strings.ToLower(out), "protect") {
			t.Errorf("the refusal does not say why:\n%s", out)
		}
	})

	// Two people have agreed: Pulumi's protection goes first, then AWS's own, by an update that the rules let through
	// for a waiver only. It makes again what the attempt above got at.
	s.must(t, "state", "unprotect", "--all", "--yes")
	s.configure(t, map[string]any{"recovery.deletion": "Allowed", "waivers": waived(s.name)})
	s.must(t, "up", "--yes")
	s.must(t, "state", "unprotect", "--all", "--yes")
	s.must(t, "destroy", "--yes")
	if left := s.must(t, "stack", "export"); strings.Contains(left, `"type": "aws:`) {
		t.Errorf("it left something:\n%s", left)
	}
}

// waived are the waivers of a destroy.
func waived(stack string) []any {
	now := time.Now()
	var out []any
	for _, resource := range []string{stack + "-db", stack + "-witness"} {
		out = append(out, map[string]any{
			"rule": "database-deletion-protected", "resource": resource, "owner": "e2e@example.nhs.uk", "reason": "the run deletes what it made",
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
