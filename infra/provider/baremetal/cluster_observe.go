// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"maps"
	"slices"
)

// members is what the last look saw of each member. A host that could not be
// asked keeps what prior says of it: not knowing is no change.
func (s *session) members(prior map[string]ClusterMember) map[string]ClusterMember {
	out := map[string]ClusterMember{}
	for _, v := range s.hosts {
		if v.Former && !s.present(v) {
			continue
		}
		if !v.reached() {
			if m, ok := prior[v.Host.Name]; ok && out[v.Host.Name].Role == "" {
				out[v.Host.Name] = m
			}
			continue
		}
		if m := v.Probe.Marker; m == nil || m.Cluster != s.args.Name || m.Phase != phaseMember {
			continue
		}
		out[v.Host.Name] = s.member(v, prior[v.Host.Name])
	}
	// Members that nobody asked for are shown, so that the next update removes them.
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		if _, known := out[name]; known || s.view(name, "") != nil {
			continue
		}
		n := s.nodes[name]
		m := ClusterMember{Role: RoleWorker, MachineID: n.MachineID, KubeletVersion: n.KubeletVersion,
			Files: map[string]string{}, Labels: placement(n.Labels), Schedulable: !n.Tainted}
		if n.ControlPlane {
			m.Role, m.EtcdMember = RoleControlPlane, listed(s.etcd, name)
		}
		out[name] = m
	}
	return out
}

// present says that a former host still is, or may be, a member.
func (s *session) present(v *hostView) bool {
	if v.reached() && v.Probe.Marker != nil {
		return true
	}
	n, ok := s.nodes[v.Host.Name]
	return ok && n.MachineID == v.Host.MachineID
}

// member is what a host, etcd and the API say of one member.
func (s *session) member(v *hostView, prior ClusterMember) ClusterMember {
	m := ClusterMember{
		Role: v.Probe.Marker.Role, MachineID: v.Probe.MachineID,
		KubeletVersion: v.Probe.oldestVersion(s.nodes[v.Host.Name].KubeletVersion),
		Kubelet:        v.Probe.Kubelet, Configuration: v.Probe.Marker.Configuration,
		Files: map[string]string{},
	}
	for _, f := range memberFiles {
		m.Files[f] = v.Probe.file(f)
	}
	if s.speaker == nil {
		m.EtcdMember, m.Labels, m.Schedulable = prior.EtcdMember, prior.Labels, prior.Schedulable
		return m
	}
	n := s.nodes[v.Host.Name]
	m.Labels, m.Schedulable = placement(n.Labels), !n.Tainted
	for _, e := range s.etcd {
		if e.Name == v.Host.Name && !e.Learner {
			m.EtcdMember = true
		}
	}
	return m
}

// placement keeps the labels that this provider sets.
func placement(labels map[string]string) map[string]string {
	return map[string]string{zoneLabel: labels[zoneLabel], regionLabel: labels[regionLabel]}
}
