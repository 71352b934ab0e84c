// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"testing"
)

func TestReplicas(t *testing.T) {
	for annotation, want := range map[string]int32{
		"": 3, "5": 5, "2": 3, "3": 3, "20": 20, "21": 20, "-1": 3, "many": 3, "5.5": 3, "99999999999": 3,
	} {
		if got := Replicas(map[string]string{ReplicasAnnotation: annotation}, 3); got != want {
			t.Errorf("%q: got %d, want %d", annotation, got, want)
		}
	}
	if got := Replicas(nil, 3); got != 3 {
		t.Errorf("without annotations: got %d", got)
	}
}

func TestStoppedSuppliers(t *testing.T) {
	for annotation, want := range map[string][]string{
		"": nil, "a": {"a"}, "b,a": {"a", "b"}, " a , ,b,a,": {"a", "b"}, ",": nil,
	} {
		if got := StoppedSuppliers(map[string]string{StoppedSuppliersAnnotation: annotation}); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", annotation, got, want)
		}
	}
}
