// SPDX-License-Identifier: Apache-2.0

package baremetal

import "github.com/pulumi/pulumi-go-provider/infer"

// ClusterState is what a Cluster is known to be: its inputs and what was observed.
type ClusterState struct {
	ClusterArgs
	Kubeconfig    string `pulumi:"kubeconfig" provider:"secret"`
	CACertificate string `pulumi:"caCertificate"`
}

// Annotate documents the fields in the schema.
func (s *ClusterState) Annotate(a infer.Annotator) {
	s.ClusterArgs.Annotate(a)
	a.Describe(&s.Kubeconfig, "Kubeconfig of an administrator; its server is the endpoint's address.")
	a.Describe(&s.CACertificate, "Certificate of the cluster's certificate authority, PEM.")
}

// ClusterMember is one member as it was last seen. Nothing in it changes by
// itself, so that a refresh shows what somebody changed.
type ClusterMember struct {
	Role           string            `pulumi:"role"`
	MachineID      string            `pulumi:"machineId"`
	KubeletVersion string            `pulumi:"kubeletVersion"`
	Kubelet        string            `pulumi:"kubelet"`
	EtcdMember     bool              `pulumi:"etcdMember"`
	Configuration  string            `pulumi:"configuration"`
	Files          map[string]string `pulumi:"files"`
	Labels         map[string]string `pulumi:"labels"`
	Schedulable    bool              `pulumi:"schedulable"`
}

// Annotate documents the fields in the schema.
func (m *ClusterMember) Annotate(a infer.Annotator) {
	a.Describe(&m, "A member of a cluster.")
	a.Describe(&m.Role, "ControlPlane or Worker.")
	a.Describe(&m.MachineID, "The machine's /etc/machine-id.")
	a.Describe(&m.KubeletVersion, "Version of the kubelet, as in v1.36.3.")
	a.Describe(&m.Kubelet, "The unit kubelet.service: \"enabled, active\" when it is as it should be.")
	a.Describe(&m.EtcdMember, "Whether the host is a voting member of etcd.")
	a.Describe(&m.Configuration, "Digest of the control-plane settings that the member runs with.")
	a.Describe(&m.Files, "Files by path: \"as configured\", \"changed\" or \"missing\".")
	a.Describe(&m.Labels, "The node's zone and region.")
	a.Describe(&m.Schedulable, "Whether workloads may be placed on it: no taint of a control plane.")
}
