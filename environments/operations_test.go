// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"slices"
	"strings"
	"testing"
)

func TestOperationsDefaultToCaution(t *testing.T) {
	env, err := Parse(local(t, func(env map[string]any) { delete(env, "operations") }))
	if err != nil {
		t.Fatal(err)
	}
	o := env.Operations
	if !slices.Equal(o.Approval.Actions, []string{"RebuildBroker", "RebuildReplica", "ResyncStandby", "RestoreDatabase", "FenceHost", "PlannedFailover", "UnplannedFailover"}) || o.CoolDown != "2m" || o.MaxApprovalAge != "24h" {
		t.Errorf("got %+v", o)
	}
	env, err = Parse(local(t, func(env map[string]any) {
		env["operations"] = map[string]any{"approval": map[string]any{"actions": []any{}}}
	}))
	if err != nil || len(env.Operations.Approval.Actions) != 0 {
		t.Errorf("an empty list asks for no approval: %v, %v", env, err)
	}
}

func TestOperationsAreRefused(t *testing.T) {
	window := func(change map[string]any) map[string]any {
		w := map[string]any{"days": []any{"Tuesday"}, "from": "22:00", "to": "04:00"}
		for k, v := range change {
			w[k] = v
		}
		return map[string]any{"changeWindow": []any{w}}
	}
	for want, operations := range map[string]map[string]any{
		"operations.approval.actions[0]: Unsupported value": {"approval": map[string]any{"actions": []any{"Reboot"}}},
		"operations.approval.actions[1]: Duplicate value":   {"approval": map[string]any{"actions": []any{"ScaleOut", "ScaleOut"}}},
		"operations.maxApprovalAge: Invalid value":          {"maxApprovalAge": "25h"},
		"operations.coolDown: Invalid value":                {"coolDown": "0s"},
		"operations.changeWindow[0].days: Required":         window(map[string]any{"days": []any{}}),
		"operations.changeWindow[0].days[0]: Unsupported":   window(map[string]any{"days": []any{"Tue"}}),
		"operations.changeWindow[0].from: Invalid value":    window(map[string]any{"from": "10pm"}),
		"operations.changeWindow[0].timeZone: Invalid":      window(map[string]any{"timeZone": "London"}),
		"operations.changeWindow[0].until":                  window(map[string]any{"until": "04:00"}),
		"operations.changeWindow: Too many":                 {"changeWindow": make([]any, 17)},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := Parse(local(t, func(env map[string]any) { env["operations"] = operations }))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
