// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"testing"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// large is a stack of 2,000 resources of which every second one changes.
func large() []engine.Step {
	var steps []engine.Step
	for i := range 2000 {
		s := engine.Step{Custom: true}
		s.Name = fmt.Sprintf("host-%04d", i)
		s.URN, s.Type = "urn:pulumi:live::spine::spine:baremetal:Host::"+s.Name, "spine:baremetal:Host"
		inputs := func(setting string) map[string]any {
			return map[string]any{"name": s.Name, "address": fmt.Sprintf("10.0.%d.%d", i/250, i%250), "sysctls": map[string]any{"vm.swappiness": setting},
				"packages": []any{"containerd", "runc", "keepalived", "conntrack"}, "ssh": map[string]any{"hostKey": "ssh-ed25519 " + s.Name, "user": "root"},
				"labels": map[string]any{"site": "live", "rack": fmt.Sprintf("r%d", i%9)}, "password": fmt.Sprintf("PLANTED-%d", i)}
		}
		s.Operation, s.OldInputs, s.Inputs = policy.Same, inputs("0"), inputs("0")
		if i%2 == 0 {
			s.Operation, s.Inputs = policy.Update, inputs("10")
		}
		if i > 0 {
			s.Dependencies = []string{steps[0].URN}
		}
		steps = append(steps, s)
	}
	return steps
}

// What happens to a thousand hosts alike is one line.
func TestLargeStackReadsWell(t *testing.T) {
	d := Build(large(), cost.Published(), NewSecrets(nil))
	rows := Rows([]*Difference{d}, []string{"live"})
	if len(d.Changes) != 1000 || d.Unchanged != 1000 || len(rows) != 1 {
		t.Fatalf("%d changes, %d unchanged, %d rows", len(d.Changes), d.Unchanged, len(rows))
	}
	want := "host host-0000, host host-0002, host host-0004, host host-0006, host host-0008 and 995 others"
	if got := rows[0].Who(); got != want || rows[0].Words != "kernel setting vm.swappiness: 0 -> 10" {
		t.Errorf("%s: %s", got, rows[0].Words)
	}
}

func BenchmarkLargeStack(b *testing.B) {
	steps := large()
	for b.Loop() {
		Rows([]*Difference{Build(steps, cost.Published(), NewSecrets(nil))}, []string{"live"})
	}
}
