// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"fmt"
	"net/url"

	"sigs.k8s.io/yaml"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
)

// Defaults of a Cluster's optional inputs; the schema states them too.
const (
	defaultAPIPort            = 6443
	defaultDNSDomain          = "cluster.local"
	defaultHeartbeatMs        = 150
	defaultElectionMs         = 1500
	defaultNodeGraceSeconds   = 8
	defaultUnreachableSeconds = 30
	defaultLeaseSeconds       = 8
)

// Labels of a node that say where its host stands.
const (
	zoneLabel   = "topology.kubernetes.io/zone"
	regionLabel = "topology.kubernetes.io/region"
)

const (
	kubeletRunning = "enabled, active"
	asConfigured   = "as configured"
)

// settings are args with every default filled in, as package kubeadm reads them.
func (a ClusterArgs) settings() kubeadm.Cluster {
	c := kubeadm.Cluster{
		Name: a.Name, Version: a.KubernetesVersion,
		ImageRepository: a.ImageRepository, EtcdTag: a.ImageTags.Etcd,
		EndpointName: a.Endpoint.Name, EndpointAddress: a.Endpoint.Address, EndpointPort: or(a.Endpoint.Port, defaultAPIPort),
		PodCIDR: a.Network.PodCIDR, ServiceCIDR: a.Network.ServiceCIDR, Domain: or(a.Network.DNSDomain, defaultDNSDomain),
		HeartbeatMs: defaultHeartbeatMs, ElectionMs: defaultElectionMs,
		NodeGraceSeconds: defaultNodeGraceSeconds, UnreachableSeconds: defaultUnreachableSeconds, LeaseSeconds: defaultLeaseSeconds,
	}
	if a.Etcd != nil {
		c.HeartbeatMs, c.ElectionMs = or(a.Etcd.HeartbeatMs, c.HeartbeatMs), or(a.Etcd.ElectionMs, c.ElectionMs)
	}
	if t := a.Timings; t != nil {
		c.NodeGraceSeconds = or(t.NodeMonitorGraceSeconds, c.NodeGraceSeconds)
		c.UnreachableSeconds = or(t.UnreachableSeconds, c.UnreachableSeconds)
		c.LeaseSeconds = or(t.LeaseSeconds, c.LeaseSeconds)
	}
	return c
}

func (a ClusterArgs) schedulable() bool { return or(a.SchedulableControlPlanes, true) }

// configuration is the digest of what a control plane runs with, its version
// aside: that has its own place and its own way to change.
func (a ClusterArgs) configuration() string {
	doc := a.settings().ClusterConfiguration()
	delete(doc, "kubernetesVersion")
	b, err := yaml.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("rendering maps of strings and numbers: %v", err)) // cannot happen: no other types in it
	}
	return contentDigest(string(b))
}

// caFile is the authority, on the hosts, of the server that has the binaries.
func (b ClusterBinaries) caFile() string {
	if b.CAFile != nil {
		return *b.CAFile
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		return ""
	}
	return RegistryCAFile(u.Host)
}

// desiredMembers is what each member shall be.
func (a ClusterArgs) desiredMembers() map[string]ClusterMember {
	out := make(map[string]ClusterMember, len(a.Hosts))
	for _, h := range a.Hosts {
		m := ClusterMember{
			Role: h.Role, MachineID: h.MachineID,
			KubeletVersion: a.KubernetesVersion, Kubelet: kubeletRunning,
			Files:       map[string]string{},
			Labels:      map[string]string{zoneLabel: h.Labels.Rack, regionLabel: h.Labels.Site},
			Schedulable: true,
		}
		for _, f := range memberFiles {
			m.Files[f] = asConfigured
		}
		if h.Role == RoleControlPlane {
			m.EtcdMember, m.Configuration, m.Schedulable = true, a.configuration(), a.schedulable()
		}
		out[h.Name] = m
	}
	return out
}

// memberFiles are watched for changes by hand.
var memberFiles = []string{kubeadm.UnitFile, kubeadm.DropInFile, kubeadm.ConfigFile}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
