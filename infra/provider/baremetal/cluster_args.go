// SPDX-License-Identifier: Apache-2.0

package baremetal

import "github.com/pulumi/pulumi-go-provider/infer"

// Roles of a host in a cluster.
const (
	// RoleControlPlane runs an API server and an etcd member.
	RoleControlPlane = "ControlPlane"
	// RoleWorker runs workloads only.
	RoleWorker = "Worker"
)

// ClusterArgs are the inputs of a Cluster.
type ClusterArgs struct {
	Name                     string           `pulumi:"name"`
	KubernetesVersion        string           `pulumi:"kubernetesVersion"`
	Binaries                 ClusterBinaries  `pulumi:"binaries"`
	ImageRepository          string           `pulumi:"imageRepository"`
	ImageTags                ClusterImageTags `pulumi:"imageTags"`
	Endpoint                 ClusterEndpoint  `pulumi:"endpoint"`
	Network                  ClusterNetwork   `pulumi:"network"`
	Hosts                    []ClusterHost    `pulumi:"hosts"`
	SchedulableControlPlanes *bool            `pulumi:"schedulableControlPlanes,optional"`
	Etcd                     *ClusterEtcd     `pulumi:"etcd,optional"`
	Timings                  *ClusterTimings  `pulumi:"timings,optional"`
	// Members is filled in by Check with what each member shall be, so that the
	// engine shows "old => new" for what is otherwise known from hosts only.
	// Programs do not see it as an input: see computedInputs.
	Members map[string]ClusterMember `pulumi:"members,optional"`
}

// Annotate documents the fields in the schema.
func (c *ClusterArgs) Annotate(a infer.Annotator) {
	a.Describe(&c.Name, "Name of the cluster: a lower-case DNS label, at most 40 characters. Cannot be changed.")
	a.Describe(&c.KubernetesVersion, "Kubernetes version of every member, as in v1.36.3. An upgrade takes one host at a time; a downgrade and a skipped minor version are refused.")
	a.Describe(&c.Binaries, "Where hosts fetch the Kubernetes binaries.")
	a.Describe(&c.ImageRepository, "Repository of the control-plane images: registry and path, as in 10.90.0.1:5000/spine.")
	a.Describe(&c.ImageTags, "Tags of images whose version is not the Kubernetes version.")
	a.Describe(&c.Endpoint, "Address at which the API answers whichever host is lost. Cannot be changed.")
	a.Describe(&c.Network, "Address ranges inside the cluster. Cannot be changed.")
	a.Describe(&c.Hosts, "The members. A host that is removed is drained and reset, one that is added joins; control planes change one at a time, with quorum checked before each.")
	a.Describe(&c.SchedulableControlPlanes, "Whether workloads run on control-plane hosts. Default true.")
	a.Describe(&c.Etcd, "Timing of etcd.")
	a.Describe(&c.Timings, "How fast failures are noticed.")
	a.Describe(&c.Members, "The members by name, as they were last seen.")
}

// ClusterBinaries say where hosts fetch kubeadm, kubelet and kubectl.
type ClusterBinaries struct {
	URL    string  `pulumi:"url"`
	Digest string  `pulumi:"digest"`
	CAFile *string `pulumi:"caFile,optional"`
}

// Annotate documents the fields in the schema.
func (b *ClusterBinaries) Annotate(a infer.Annotator) {
	a.Describe(&b, "A gzipped tar file that holds usr/local/bin/kubeadm, kubelet and kubectl.")
	a.Describe(&b.URL, "HTTPS address of the file, as in https://10.90.0.1:5000/v2/spine/kubernetes-host/blobs/sha256:...")
	a.Describe(&b.Digest, "Digest that the file must have: sha256: and 64 hexadecimal digits.")
	a.Describe(&b.CAFile, "Path on the hosts of the certificate authority that the server is checked against. Default: the one that Host wrote for the registry of the address.")
}

// ClusterImageTags are tags of images whose version is not the Kubernetes version.
type ClusterImageTags struct {
	Etcd string `pulumi:"etcd"`
}

// Annotate documents the fields in the schema.
func (i *ClusterImageTags) Annotate(a infer.Annotator) {
	a.Describe(&i, "Tags of images whose version is not the Kubernetes version.")
	a.Describe(&i.Etcd, "Tag of the image etcd in imageRepository.")
}

// ClusterEndpoint is the address at which the API answers.
type ClusterEndpoint struct {
	Name    string `pulumi:"name"`
	Address string `pulumi:"address"`
	Port    *int   `pulumi:"port,optional"`
}

// Annotate documents the fields in the schema.
func (e *ClusterEndpoint) Annotate(a infer.Annotator) {
	a.Describe(&e, "The address at which the API answers.")
	a.Describe(&e.Name, "Name of the API, as in api.local.spine.internal; every host must resolve it to address.")
	a.Describe(&e.Address, "IP address of the API: held by one host at a time, never the own address of one.")
	a.Describe(&e.Port, "TCP port of the API, 1 to 65535. Default 6443.")
}

// ClusterNetwork holds the address ranges inside the cluster.
type ClusterNetwork struct {
	PodCIDR     string  `pulumi:"podCIDR"`
	ServiceCIDR string  `pulumi:"serviceCIDR"`
	DNSDomain   *string `pulumi:"dnsDomain,optional"`
}

// Annotate documents the fields in the schema.
func (n *ClusterNetwork) Annotate(a infer.Annotator) {
	a.Describe(&n, "The address ranges inside the cluster.")
	a.Describe(&n.PodCIDR, "Addresses of pods, as in 10.244.0.0/16; each host gets a /24 of it.")
	a.Describe(&n.ServiceCIDR, "Addresses of services, as in 10.96.0.0/16.")
	a.Describe(&n.DNSDomain, "Domain of services. Default cluster.local.")
}

// ClusterHost is one member.
type ClusterHost struct {
	Name      string `pulumi:"name"`
	Address   string `pulumi:"address"`
	SSH       SSH    `pulumi:"ssh"`
	Role      string `pulumi:"role"`
	MachineID string `pulumi:"machineId"`
	Labels    Labels `pulumi:"labels"`
}

// Annotate documents the fields in the schema.
func (h *ClusterHost) Annotate(a infer.Annotator) {
	a.Describe(&h, "One member of a cluster.")
	a.Describe(&h.Name, "Name of the host and of its node: a lower-case DNS label.")
	a.Describe(&h.Address, "IP address of the host.")
	a.Describe(&h.SSH, "How the host is reached.")
	a.Describe(&h.Role, "ControlPlane or Worker.")
	a.Describe(&h.MachineID, "The machine's /etc/machine-id, from Host: another value under the same name is another machine, and the old one is replaced.")
	a.Describe(&h.Labels, "Where the host stands: its node's zone and region.")
}

// ClusterEtcd is the timing of etcd.
type ClusterEtcd struct {
	HeartbeatMs *int `pulumi:"heartbeatMs,optional"`
	ElectionMs  *int `pulumi:"electionMs,optional"`
}

// Annotate documents the fields in the schema.
func (e *ClusterEtcd) Annotate(a infer.Annotator) {
	a.Describe(&e, "Timing of etcd.")
	a.Describe(&e.HeartbeatMs, "Milliseconds between heartbeats of the leader, 50 to 1000. Default 150.")
	a.Describe(&e.ElectionMs, "Milliseconds without heartbeat until an election, 5 to 50 heartbeats. Default 1500.")
}

// ClusterTimings say how fast failures are noticed.
type ClusterTimings struct {
	NodeMonitorGraceSeconds *int `pulumi:"nodeMonitorGraceSeconds,optional"`
	UnreachableSeconds      *int `pulumi:"unreachableSeconds,optional"`
	LeaseSeconds            *int `pulumi:"leaseSeconds,optional"`
}

// Annotate documents the fields in the schema.
func (t *ClusterTimings) Annotate(a infer.Annotator) {
	a.Describe(&t, "How fast failures are noticed.")
	a.Describe(&t.NodeMonitorGraceSeconds, "Seconds without a sign of life until a node is reported NotReady, 4 to 300. Default 8; nodes give one every 2 s.")
	a.Describe(&t.UnreachableSeconds, "Seconds that a pod stays bound to a NotReady node before it is replaced, 0 to 3600. Default 30.")
	a.Describe(&t.LeaseSeconds, "Seconds after which another controller manager or scheduler takes over from a lost one, 4 to 60. Default 8.")
}
