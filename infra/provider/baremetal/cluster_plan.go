// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"spine.nhs.uk/controlplane/infra/provider/quorum"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// step is one change of one host.
type step struct {
	quorum.Step
	Role string
}

func (s step) String() string {
	if s.Role == RoleWorker {
		return fmt.Sprintf("%s worker %s (%s)", s.Action, s.Name, s.Why)
	}
	return s.Step.String()
}

// plan decides what is left to do, from the last look. It is pure.
func (s *session) plan() ([]step, error) {
	if err := s.strangers(); err != nil {
		return nil, err
	}
	situation := s.situation()
	decided := quorum.Decide(situation)
	var errs []error
	for _, b := range decided.Blockers {
		errs = append(errs, b)
	}
	if len(errs) > 0 {
		if s.speakerFault != nil {
			errs = append(errs, s.speakerFault)
		}
		return nil, errors.Join(errs...)
	}
	if s.speaker == nil && slices.ContainsFunc(situation.Current, func(m quorum.Member) bool { return m.Joined }) {
		return nil, fmt.Errorf("no control plane of cluster %s answers, so nothing of it can be judged: %w", s.args.Name, s.speakerFault)
	}
	leave, update, join := s.workers()
	var steps []step
	// A worker that becomes a control plane, or is dead, leaves first; one that
	// is merely no longer wanted leaves last, when its successors have joined.
	early := func(w step) bool {
		v := s.view(w.Name, w.MachineID)
		return s.wantedAs(w.Name, RoleControlPlane) || v == nil || !v.reached() || !s.isMember(v)
	}
	for _, w := range leave {
		if early(w) {
			steps = append(steps, w)
		}
	}
	for _, q := range decided.Steps {
		steps = append(steps, step{Step: q, Role: RoleControlPlane})
	}
	steps = append(steps, update...)
	steps = append(steps, join...)
	for _, w := range leave {
		if !early(w) {
			steps = append(steps, w)
		}
	}
	return steps, nil
}

// strangers refuses hosts that belong to a cluster that is not this one.
func (s *session) strangers() error {
	var errs []error
	for _, v := range s.hosts {
		if v.Former || !v.reached() {
			continue
		}
		switch m := v.Probe.Marker; {
		case m != nil && m.Cluster != s.args.Name:
			errs = append(errs, fmt.Errorf("host %s (%s) is a member of cluster %s: remove it there first, or take it out of hosts", v.Host.Name, v.Host.Address, m.Cluster))
		case m == nil && v.Probe.Traces:
			errs = append(errs, fmt.Errorf("host %s (%s) carries a Kubernetes cluster that was not made here: run kubeadm reset on it if that is not needed, or take it out of hosts", v.Host.Name, v.Host.Address))
		case v.Host.MachineID != "" && v.Host.MachineID != v.Probe.MachineID:
			errs = append(errs, fmt.Errorf("host %s (%s) has machine-id %s, expected %s: run pulumi refresh, so that the host is known as the machine it is now", v.Host.Name, v.Host.Address, v.Probe.MachineID, v.Host.MachineID))
		}
	}
	return errors.Join(errs...)
}

// unreachable lists what keeps hosts that are asked for from being reached.
func (s *session) unreachable() error {
	var errs []error
	for _, v := range s.hosts {
		if !v.Former && v.Err != nil {
			errs = append(errs, v.Err)
		}
	}
	return errors.Join(errs...)
}

// situation is what package quorum decides by.
func (s *session) situation() quorum.Situation {
	out := quorum.Situation{Version: s.args.KubernetesVersion, Configuration: s.args.configuration(), Existed: s.existed}
	for _, h := range s.args.Hosts {
		if h.Role == RoleControlPlane {
			out.Desired = append(out.Desired, quorum.Host{Name: h.Name, MachineID: h.MachineID})
		}
	}
	for _, name := range s.controlPlaneNames() {
		out.Current = append(out.Current, s.controlPlane(name))
	}
	// A new machine under the name of the old one is not in etcd; what it
	// carries from a join that broke off has to go as well.
	for _, v := range s.hosts {
		if s.replaces(v) && (v.Probe.Marker != nil || v.Probe.Traces) {
			out.Current = append(out.Current, quorum.Member{Name: v.Host.Name, MachineID: v.Probe.MachineID, Health: quorum.Unhealthy})
		}
	}
	return out
}

// replaces says that v is another machine than the node of its name.
func (s *session) replaces(v *hostView) bool {
	n, ok := s.nodes[v.Host.Name]
	return ok && v.reached() && !v.Former && n.MachineID != "" && n.MachineID != v.Probe.MachineID
}

// controlPlaneNames are all names under which a control plane exists in any
// form: in etcd, as a node, or on a host only. Sorted.
func (s *session) controlPlaneNames() []string {
	found := map[string]bool{}
	for _, e := range s.etcd {
		found[s.etcdName(e)] = true
	}
	for _, n := range s.nodes {
		if n.ControlPlane {
			found[n.Name] = true
		}
	}
	for _, v := range s.hosts {
		if !v.reached() || s.replaces(v) {
			continue
		}
		if m := v.Probe.Marker; m != nil && m.Cluster == s.args.Name && m.Role == RoleControlPlane {
			found[v.Host.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// etcdName is the member's name, or its host's while it has not started once.
func (s *session) etcdName(e etcdMember) string {
	if e.Name != "" {
		return e.Name
	}
	for _, v := range s.hosts {
		if v.Host.Address == e.address() {
			return v.Host.Name
		}
	}
	return e.address()
}

// controlPlane puts together what etcd, the API and the host say of a member.
func (s *session) controlPlane(name string) quorum.Member {
	node, hasNode := s.nodes[name]
	m := quorum.Member{Name: name, MachineID: node.MachineID, Health: quorum.Unhealthy, Version: node.KubeletVersion}
	v := s.view(name, node.MachineID)
	if v != nil {
		m.MachineID = cmp.Or(m.MachineID, v.machineID())
	}
	if s.speaker == nil {
		// Nobody could be asked: trust the host's record, and let the unknown
		// health block whatever would change.
		m.Joined = v != nil && v.reached() && s.isMember(v)
		m.Voter, m.Health = m.Joined, quorum.Unknown
		if m.Joined {
			m.Version, m.Configuration = v.Probe.oldestVersion(""), v.Probe.Marker.Configuration
		}
		return m
	}
	for _, e := range s.etcd {
		if s.etcdName(e) == name {
			m.Voter, m.Health = !e.Learner, e.Health
		}
	}
	m.Joined = m.Voter && hasNode
	// What a host that cannot be asked runs with is not known: it is left alone.
	m.Configuration = s.args.configuration()
	if v != nil && v.reached() {
		m.Joined = m.Joined && s.isMember(v) && v.Probe.Marker.Role == RoleControlPlane
		m.Version = v.Probe.oldestVersion(node.KubeletVersion)
		if v.Probe.Marker != nil {
			m.Configuration = v.Probe.Marker.Configuration
		}
	} else {
		m.Version = s.args.KubernetesVersion
	}
	return m
}

// oldestVersion is the oldest of what a host has, runs and serves: an upgrade
// that broke off half-way leaves them different.
func (p memberProbe) oldestVersion(running string) string {
	oldest := p.KubeletVersion
	for _, v := range []string{p.ServerVersion, running} {
		if v != "" && (oldest == "" || olderVersion(v, oldest)) {
			oldest = v
		}
	}
	return oldest
}

// wantedAs says whether a host of that name is asked for in that role.
func (s *session) wantedAs(name, role string) bool {
	return slices.ContainsFunc(s.args.Hosts, func(h ClusterHost) bool { return h.Name == name && h.Role == role })
}

// fault is the reason why a host cannot be reached, in a few words.
func fault(v *hostView) string {
	switch {
	case v == nil:
		return "it is not known how to reach its host"
	case remote.IsHostKeyMismatch(v.Err):
		return "another machine answers at its address"
	default:
		return "its host cannot be reached"
	}
}
