// SPDX-License-Identifier: Apache-2.0

package dns

import "testing"

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{"10.96.0.0/16": "10.96.0.10", "10.0.0.0/24": "10.0.0.10", "nonsense": ""} {
		if got, err := Address(in); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %q, %v", in, got, err)
		}
	}
}

func TestReplicas(t *testing.T) {
	for hosts, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 50: 3} {
		if got := Replicas(hosts); got != want {
			t.Errorf("%d hosts: %d servers, want %d", hosts, got, want)
		}
	}
}
