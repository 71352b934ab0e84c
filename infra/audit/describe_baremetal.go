// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"maps"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// host describes a machine.
func host(s *subject) {
	switch s.operation {
	case policy.Create:
		s.say(Other, None, "is prepared for Kubernetes (%s, rack %s)", s.is("address").Text(), s.is("labels", "rack").Text())
		return
	case policy.Delete:
		s.say(Availability, High, "is taken out of the site")
		return
	}
	for _, d := range s.take("ssh", "hostKey") {
		s.say(Identity, High, "another SSH host key is pinned: from now on another machine is believed to be this host (%s)", values(d))
	}
	for _, d := range s.take("registry", "ca") {
		s.say(Identity, High, "another authority is believed for the registry's certificate: images come from whom it vouches for (%s)", values(d))
	}
	for _, d := range s.take("registry") {
		s.say(Identity, Medium, "images come from elsewhere: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("address") {
		s.say(Availability, High, "its address changes: %s", values(d))
	}
	for _, d := range s.take("virtualAddresses") {
		s.say(Availability, Medium, "shared addresses change, and may move: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("containerRuntime") {
		s.say(Availability, Medium, "containerd is reconfigured and restarts: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("packageVersions") {
		s.say(Availability, Low, "package %v: %s", d.path[len(d.path)-1], values(d))
	}
	for _, d := range s.take("sysctls") {
		s.say(Availability, Low, "kernel setting %v: %s", d.path[len(d.path)-1], values(d))
	}
	for _, d := range s.take("sysctlValues") {
		s.say(Availability, Low, "kernel setting %v: %s", d.path[len(d.path)-1], values(d))
	}
	for _, d := range s.take("files") {
		s.say(Availability, Low, "file %v: %s", d.path[len(d.path)-1], values(d))
	}
	for _, d := range s.take("units") {
		s.say(Availability, Medium, "unit %v: %s", d.path[len(d.path)-1], values(d))
	}
}

// cluster describes a Kubernetes cluster host by host, as its members change.
func cluster(s *subject) {
	if s.operation == policy.Create {
		s.say(Other, None, "created: Kubernetes %s on %d hosts", s.is("kubernetesVersion").Text(), len(s.is("hosts").Items()))
		return
	}
	if s.operation == policy.Delete {
		return
	}
	for _, name := range members(s) {
		label := "host " + name
		for _, d := range s.take("members", name, "kubeletVersion") {
			if s.found {
				s.sayOf(label, Availability, Medium, "kubelet %s", values(d))
			} else {
				s.sayOf(label, Availability, Medium, "kubelet %s, drained first", values(d))
			}
		}
		for _, d := range s.take("members", name, "machineId") {
			s.sayOf(label, DataLoss, High, "another machine takes its place: it is drained, leaves etcd and is reset, with its volumes, before the new one joins (%s)", values(d))
		}
		for _, d := range s.take("members", name, "configuration") {
			s.sayOf(label, Availability, Medium, "the control plane is reconfigured and restarts (%s)", values(d))
		}
		for _, d := range s.at("members", name) {
			if len(d.path) == 2 {
				d.told = true
				member(s, label, d)
			}
		}
		for _, d := range s.take("members", name) {
			s.sayOf(label, Availability, Low, "%s: %s", policy.Path(d.path[2:]), values(d))
		}
	}
	for _, d := range s.take("kubernetesVersion") {
		s.say(Availability, Medium, "Kubernetes %s, one host at a time", values(d))
	}
	s.take("hosts") // Said member by member.
}

func member(s *subject, label string, d *difference) {
	role := fmt.Sprint(policy.Node{Value: firstNonNil(d.old, d.new)}.At("role").Value)
	if d.new == nil {
		level := Medium
		if role == "ControlPlane" {
			level = High
		}
		s.sayOf(label, Availability, level, "leaves the cluster (%s): it is drained and reset", role)
		return
	}
	s.sayOf(label, Availability, Low, "joins the cluster (%s)", role)
}

func firstNonNil(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

// members are the names of all members that differ.
func members(s *subject) []string {
	out := map[string]bool{}
	for _, d := range s.at("members", "*") {
		if name, ok := d.path[1].(string); ok {
			out[name] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// manifests describes what a set of objects has besides the objects: those are subjects of their own.
func manifests(s *subject) {
	if s.operation == policy.Create {
		s.say(Other, None, "are applied: %d objects", count(s.is("objects")))
	}
}

func count(n policy.Node) int {
	m, _ := n.Value.(map[string]any)
	return len(m)
}
