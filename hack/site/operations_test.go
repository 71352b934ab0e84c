// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/environments"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// What an environment may say of operations, the manager understands in the same way.
func TestManagerReadsTheRulesOfOperations(t *testing.T) {
	var env environments.Environment
	env.Operations.Approval.Actions = []string{}
	for _, a := range resilience.Actions() {
		env.Operations.Approval.Actions = append(env.Operations.Approval.Actions, string(a))
	}
	env.Operations.ChangeWindow = []environments.ChangeWindow{{Days: []string{"Tuesday"}, From: "22:00", To: "04:00"}}
	for name, o := range map[string]environments.Operations{"everything": env.Operations, "defaults": {}} {
		env.Operations = o
		env.Default()
		for _, problem := range env.Validate() {
			if strings.HasPrefix(problem.Field, "operations") {
				t.Errorf("%s: %v", name, problem)
			}
		}
		text, err := json.Marshal(env.Operations)
		if err != nil {
			t.Fatal(err)
		}
		c, err := resilience.ParseOperationsConfig(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.CoolDown.Duration.String() != "2m0s" || len(c.ChangeWindow) != len(o.ChangeWindow) {
			t.Errorf("%s: became %+v", name, c)
		}
		same := &resilience.OperationsConfig{}
		if same.Default(); name == "defaults" && !slices.Equal(c.Approval.Actions, same.Approval.Actions) {
			t.Errorf("the environment asks for %v, the manager for %v", c.Approval.Actions, same.Approval.Actions)
		}
	}
}
