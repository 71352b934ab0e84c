// SPDX-License-Identifier: Apache-2.0

package messaging_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spine.nhs.uk/controlplane/operators/desired/messaging"
)

func mustParse(s string) int64 {
	q := resource.MustParse(s)
	return q.Value()
}

func TestObserveBroker(t *testing.T) {
	whole := func() (*unstructured.Unstructured, *appsv1.StatefulSet) {
		u := &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"generation": int64(4)},
			"spec":     map[string]any{"replicas": int64(3)},
			"status":   map[string]any{"observedGeneration": int64(4)},
		}}
		s := &appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{
			ReadyReplicas: 3, UpdatedReplicas: 3, ObservedGeneration: 2, CurrentRevision: "a", UpdateRevision: "a"}}
		s.Generation = 2
		return u, s
	}
	for name, c := range map[string]struct {
		change func(*unstructured.Unstructured, *appsv1.StatefulSet)
		want   messaging.BrokerState
	}{
		"whole": {func(*unstructured.Unstructured, *appsv1.StatefulSet) {}, messaging.BrokerState{Known: true, Desired: 3, Ready: 3, Available: true}},
		"one down": {func(_ *unstructured.Unstructured, s *appsv1.StatefulSet) { s.Status.ReadyReplicas = 2 },
			messaging.BrokerState{Known: true, Desired: 3, Ready: 2, Available: true}},
		"no majority": {func(_ *unstructured.Unstructured, s *appsv1.StatefulSet) { s.Status.ReadyReplicas = 1 },
			messaging.BrokerState{Known: true, Desired: 3, Ready: 1}},
		"the operator has not looked": {func(u *unstructured.Unstructured, _ *appsv1.StatefulSet) { u.SetGeneration(5) },
			messaging.BrokerState{Known: true, Desired: 3, Ready: 3, Available: true, Changing: true}},
		"half way through": {func(_ *unstructured.Unstructured, s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 1 },
			messaging.BrokerState{Known: true, Desired: 3, Ready: 3, Available: true, Changing: true}},
		"a revision to go": {func(_ *unstructured.Unstructured, s *appsv1.StatefulSet) { s.Status.UpdateRevision = "b" },
			messaging.BrokerState{Known: true, Desired: 3, Ready: 3, Available: true, Changing: true}},
		"the operator failed": {func(u *unstructured.Unstructured, _ *appsv1.StatefulSet) {
			_ = unstructured.SetNestedSlice(u.Object, []any{map[string]any{
				"type": "ReconcileSuccess", "status": "False", "reason": "Error", "message": "no such image"}}, "status", "conditions")
		}, messaging.BrokerState{Known: true, Desired: 3, Ready: 3, Available: true, Detail: "Error no such image"}},
	} {
		t.Run(name, func(t *testing.T) {
			u, s := whole()
			c.change(u, s)
			if got := messaging.ObserveBroker(u, s); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	u, _ := whole()
	if got := messaging.ObserveBroker(u, nil); got.Known || got.Desired != 3 {
		t.Errorf("without nodes: %+v", got)
	}
	if got := messaging.ObserveBroker(nil, nil); got != (messaging.BrokerState{}) {
		t.Errorf("without anything: %+v", got)
	}
}

func TestOfBroker(t *testing.T) {
	for pod, want := range map[string]bool{
		"spine-broker-server-0": true, "spine-broker-0": false, "spine-db-1": false, "spine-b-broker-server-0": false, "": false,
	} {
		if got := messaging.OfBroker("spine", pod); got != want {
			t.Errorf("%q is one of the broker's of spine: %t", pod, got)
		}
	}
}
