// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSectorsWritten(t *testing.T) {
	const text = `   7       0 loop0 1 0 2 0 0 0 0 0 0 0 0
 254       0 vda 52 17 1337 20 901 77 4096 33 0 44 55 0 0 0 0
 254       1 vda1 50 17 1300 20 900 77 4000 33 0 44 55 0 0 0 0
`
	for device, want := range map[uint64]float64{254 << 8: 4096 * sector, 254<<8 | 1: 4000 * sector} {
		if got, err := sectorsWritten(text, device); err != nil || got != want {
			t.Errorf("%x: %v, %v", device, got, err)
		}
	}
	if _, err := sectorsWritten(text, 9<<8); err == nil {
		t.Error("an unknown device was found")
	}
	if n, err := diskBytes("/tmp/.."); err != nil || n < 0 {
		t.Errorf("the disk of this machine: %v, %v", n, err)
	}
}

func TestMemoryByPart(t *testing.T) {
	used := map[string]float64{}
	if err := addMemory(used, []byte(`{"node":{},"pods":[{"podRef":{"name":"spine-gateway-abc-1","namespace":"spine-messaging"},"memory":{"workingSetBytes":1048576}}]}`)); err != nil {
		t.Fatal(err)
	}
	if used["spine-messaging/spine-gateway-abc-1"] != 1<<20 {
		t.Errorf("got %v", used)
	}
	if addMemory(used, []byte("no")) == nil {
		t.Error("took what is no summary")
	}
	pod := func(kind, owner, hash string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: "own", Labels: map[string]string{"pod-template-hash": hash}, OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner}},
		}}
	}
	for want, p := range map[string]*corev1.Pod{
		"spine-gateway": pod("ReplicaSet", "spine-gateway-abc", "abc"), "spine-db": pod("Cluster", "spine-db", ""), "own": {ObjectMeta: metav1.ObjectMeta{Name: "own"}},
	} {
		if got := part(p); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
