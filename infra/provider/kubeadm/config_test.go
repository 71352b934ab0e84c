// SPDX-License-Identifier: Apache-2.0

package kubeadm

import (
	"strings"
	"testing"

	"gotest.tools/v3/golden"
)

func testCluster() Cluster {
	return Cluster{
		Name: "local", Version: "v1.36.3", ImageRepository: "10.90.0.1:5000/spine", EtcdTag: "3.6.5",
		EndpointName: "api.local.spine.internal", EndpointAddress: "10.90.0.100", EndpointPort: 6443,
		PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/16", Domain: "cluster.local",
		HeartbeatMs: 150, ElectionMs: 1500, NodeGraceSeconds: 8, UnreachableSeconds: 30, LeaseSeconds: 8,
	}
}

func testNode() Node {
	return Node{Name: "a", Address: "10.90.0.11", Cgroup: CgroupV1, Schedulable: true}
}

func testSecrets() Secrets {
	return Secrets{Token: "abcdef.0123456789abcdef", CAHash: "sha256:" + strings.Repeat("0", 64),
		CertificateKey: strings.Repeat("1", 64), APIServer: "10.90.0.11:6443"}
}

// The rendered documents are compared whole: a change of what kubeadm reads
// should be seen by whoever reviews it.
func TestRendered(t *testing.T) {
	worker := testSecrets()
	worker.CertificateKey = ""
	tainted := testNode()
	tainted.Schedulable, tainted.Cgroup = false, CgroupV2
	for name, render := range map[string]func() ([]byte, error){
		"init.yaml":         func() ([]byte, error) { return Init(testCluster(), testNode(), "abcdef.0123456789abcdef") },
		"join.yaml":         func() ([]byte, error) { return Join(testCluster(), testNode(), testSecrets()) },
		"join-tainted.yaml": func() ([]byte, error) { return Join(testCluster(), tainted, testSecrets()) },
		"join-worker.yaml":  func() ([]byte, error) { return Join(testCluster(), testNode(), worker) },
		"upgrade.yaml":      func() ([]byte, error) { return Upgrade(testCluster(), testNode()) },
		"reset.yaml":        Reset,
		"patch-v1.yaml":     func() ([]byte, error) { return Patch(CgroupV1, false), nil },
		"patch-v2.yaml":     func() ([]byte, error) { return Patch(CgroupV2, true), nil },
		"kubelet.service":   func() ([]byte, error) { return Unit(), nil },
		"10-kubeadm.conf":   func() ([]byte, error) { return DropIn(), nil },
		"audit-policy.yaml": func() ([]byte, error) { return AuditPolicy(), nil },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := render()
			if err != nil {
				t.Fatal(err)
			}
			golden.AssertBytes(t, got, name)
		})
	}
}

// Only the one check that cannot pass under cgroup v1 may ever be ignored.
func TestIgnoredErrorsAreNarrow(t *testing.T) {
	for cgroup, want := range map[Cgroup]string{CgroupV1: "SystemVerification", CgroupV2: ""} {
		if got := strings.Join(ignoredErrors(Node{Cgroup: cgroup}), ","); got != want {
			t.Errorf("cgroup %s: ignored %q, expected %q", cgroup, got, want)
		}
	}
}
