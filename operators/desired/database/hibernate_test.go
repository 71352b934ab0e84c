// SPDX-License-Identifier: Apache-2.0

package database

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestHibernated(t *testing.T) {
	cluster := func(asked bool, ready int64, conditions ...any) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{
			"phase": string(PhaseHealthy), "readyInstances": ready, "conditions": conditions,
		}}}
		if asked {
			Hibernate(u)
		}
		return u
	}
	condition := func(status string) any { return map[string]any{"type": "cnpg.io/hibernation", "status": status} }
	other := map[string]any{"type": "Ready", "status": "True"}
	for name, c := range map[string]struct {
		live      *unstructured.Unstructured
		asked, is bool
	}{
		"no cluster":                           {nil, false, false},
		"never asked":                          {cluster(false, 3, other), false, false},
		"asked just now":                       {cluster(true, 3, other), true, false},
		"its instances go":                     {cluster(true, 1, other, condition("False")), true, false},
		"it says so while an instance serves":  {cluster(true, 1, condition("True")), true, false},
		"hibernated":                           {cluster(true, 0, other, condition("True")), true, true},
		"woken, and its operator has not seen": {cluster(false, 0, condition("True")), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if asked, is := Hibernating(c.live), Hibernated(c.live); asked != c.asked || is != c.is {
				t.Errorf("asked %v, hibernated %v", asked, is)
			}
		})
	}
}
