// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"maps"
	"slices"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/quorum"
)

// workers decides what is left to do on hosts that carry no vote. Their order
// among each other does not matter for safety.
func (s *session) workers() (leave, update, join []step) {
	work := func(a quorum.Action, name, machine, why string) step {
		return step{Role: RoleWorker, Step: quorum.Step{Action: a, Name: name, MachineID: machine, Why: why}}
	}
	leaving := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[name]
		if n.ControlPlane || s.speaker == nil {
			continue
		}
		v := s.view(name, n.MachineID)
		switch {
		case !s.wantedAs(name, RoleWorker) || v == nil || v.Former:
			leave = append(leave, work(quorum.Remove, name, n.MachineID, "no longer wanted"))
			leaving[name] = true
		case v.reached() && !s.isMember(v):
			leave = append(leave, work(quorum.Remove, name, n.MachineID, "left over from a step that broke off"))
			leaving[name] = true
		case v.reached() && v.Probe.oldestVersion(n.KubeletVersion) != s.args.KubernetesVersion:
			update = append(update, work(quorum.Update, name, n.MachineID, v.Probe.oldestVersion(n.KubeletVersion)+" to "+s.args.KubernetesVersion))
		}
	}
	for _, v := range s.hosts {
		m := v.Probe.Marker
		ours := v.reached() && m != nil && m.Cluster == s.args.Name
		if _, isNode := s.nodes[v.Host.Name]; isNode && !s.replaces(v) {
			continue
		}
		switch {
		case ours && m.Role == RoleWorker && !leaving[v.Host.Name]:
			// Without a node, whatever is on the host is left over.
			leave = append(leave, work(quorum.Remove, v.Host.Name, v.Probe.MachineID, "left over from a step that broke off"))
			leaving[v.Host.Name] = true
		}
	}
	for _, h := range s.args.Hosts {
		if n, isNode := s.nodes[h.Name]; h.Role == RoleWorker && (!isNode || leaving[h.Name] || n.ControlPlane) {
			join = append(join, work(quorum.Join, h.Name, h.MachineID, "wanted"))
		}
	}
	return leave, update, join
}

func olderVersion(a, b string) bool {
	va, errA := kubeadm.ParseVersion(a)
	vb, errB := kubeadm.ParseVersion(b)
	return errA == nil && errB == nil && va.Compare(vb) < 0
}
