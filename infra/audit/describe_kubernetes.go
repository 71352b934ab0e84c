// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// restarting says what a change of a pod's template brings.
const restarting = "its pods are replaced one by one"

// workload describes Deployments, StatefulSets and DaemonSets.
func workload(s *subject) {
	if s.operation == policy.Delete {
		return
	}
	powers(s)
	restarts := false
	for _, d := range s.at("spec", "template", "spec", "containers", "*", "image") {
		d.told, restarts = true, true
		s.say(Availability, Low, "image of %v: %s", d.path[4], values(d))
	}
	for _, d := range s.at("spec", "template", "spec", "containers", "*", "*") {
		what := fmt.Sprint(d.path[5])
		if strings.HasSuffix(what, "Probe") && d.new == nil && len(d.path) == 6 {
			d.told = true
			s.say(Availability, Medium, "%v is no longer checked (%s)", d.path[4], what)
		}
		if what == "resources" {
			d.told, restarts = true, true
			s.say(Availability, Low, "%v: %s: %s", d.path[4], policy.Path(d.path[6:]), values(d))
		}
	}
	if restarts || len(s.at("spec", "template")) > 0 {
		s.say(Availability, Low, restarting)
	}
}

// powers finds what lets a pod out of its box, where it did not before.
func powers(s *subject) {
	before := map[string]bool{}
	for _, power := range held(s.was("spec", "template", "spec")) {
		before[power] = true
	}
	for _, power := range held(s.is("spec", "template", "spec")) {
		if !before[power] {
			s.say(Exposure, High, "%s", power)
		}
	}
	s.tell(func(d *difference) bool { return len(held(policy.Node{Path: d.path, Value: d.new})) > 0 })
}

func held(pod policy.Node) []string {
	var out []string
	pod.Each(func(n policy.Node) {
		name := lastName(n.Path)
		switch {
		case name == "privileged" && n.True():
			out = append(out, "a container is privileged: it may do anything to its host")
		case (name == "hostNetwork" || name == "hostPID" || name == "hostIPC") && n.True():
			out = append(out, fmt.Sprintf("it shares its host's %s", strings.ToLower(strings.TrimPrefix(name, "host"))))
		case name == "allowPrivilegeEscalation" && n.True():
			out = append(out, "a container may gain privileges")
		case name == "runAsNonRoot" && n.Value == false, name == "runAsUser" && n.Value == 0.0:
			out = append(out, "a container runs as root")
		case name == "hostPath" && n.At("path").Text() != "":
			out = append(out, fmt.Sprintf("it mounts %s of its host", n.At("path").Text()))
		case name == "add" && len(n.Items()) > 0 && len(n.Path) > 1 && n.Path[len(n.Path)-2] == "capabilities":
			out = append(out, fmt.Sprintf("a container has the capabilities %s", show(n.Value)))
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// edgeClass is the class of load balancers whose traffic comes in by the site's edge address.
const edgeClass = "spine.nhs.uk/edge"

func service(s *subject) {
	is, was := s.is("spec", "type").Text(), s.was("spec", "type").Text()
	if (is == "LoadBalancer" || is == "NodePort") && is != was {
		level := High
		if s.is("spec", "loadBalancerClass").Text() == edgeClass {
			level = Medium
		}
		s.say(Exposure, level, "can be reached from outside the cluster (%s, ports %s)", is, strings.Join(ports(s.is("spec", "ports")), ", "))
		s.take("spec", "type")
	}
	for _, d := range s.take("spec", "ports") {
		class, level := Availability, Medium
		if is == "LoadBalancer" || is == "NodePort" {
			class = Exposure
		}
		s.say(class, level, "ports change: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("spec", "selector") {
		s.say(Availability, High, "it sends traffic to other pods: %s: %s", d.path, values(d))
	}
}

func ports(n policy.Node) []string {
	var out []string
	for _, port := range n.Items() {
		out = append(out, show(port.At("port").Value))
	}
	return out
}

func networkPolicy(s *subject) {
	switch s.operation {
	case policy.Delete:
		s.say(Exposure, High, "deleted: what it kept out may come in")
		return
	case policy.Create:
		return
	}
	for _, d := range s.take("spec") {
		level := Medium
		if d.new == nil || d.old != nil && empty(d.new) {
			level = High // Nothing in a rule means everybody.
		}
		s.say(Exposure, level, "who may talk to whom changes: %s: %s", d.path, values(d))
	}
}

func namespace(s *subject) {
	const label = "pod-security.kubernetes.io/enforce"
	was, is := s.was("metadata", "labels", label).Text(), s.is("metadata", "labels", label).Text()
	if s.operation == policy.Update && was == "restricted" && is != was {
		s.take("metadata", "labels", label)
		s.say(Exposure, High, "pods are no longer held to the restricted standard: %s -> %q", was, is)
	}
	if s.operation == policy.Create && is == "privileged" {
		s.say(Exposure, High, "its pods may do anything to their hosts (pod security: privileged)")
	}
}

func secretObject(s *subject) {
	if s.operation == policy.Update && len(append(s.take("data"), s.take("stringData")...)) > 0 {
		s.say(Identity, Medium, "its contents change")
	}
	if s.operation == policy.Delete {
		s.say(Identity, Medium, "deleted: what uses it fails")
	}
}

func budget(s *subject) {
	if s.operation == policy.Delete {
		s.say(Availability, High, "deleted: maintenance may take all members at once")
		return
	}
	for _, d := range s.take("spec") {
		s.say(Availability, Medium, "how many may be away at once changes: %s: %s", d.path, values(d))
	}
}

// definition describes the kinds of objects that the cluster knows.
func definition(s *subject) {
	if s.operation != policy.Update {
		return
	}
	if n := len(s.take("spec", "versions")); n > 0 {
		s.say(Other, Low, "the form of its objects changes (%d properties)", n)
	}
}

func database(s *subject) {
	for _, d := range s.take("spec", "postgresql", "synchronous") {
		s.say(DataLoss, High, "on how many replicas a commit is before it counts changes: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("spec", "backup") {
		s.say(DataLoss, High, "backups change: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("spec", "imageName") {
		s.say(Availability, Medium, "image %s: the primary moves", values(d))
	}
}

// spineService describes our own services: what they promise, and how much of them there is.
func spineService(s *subject) {
	for _, d := range s.take("spec", "acknowledge") {
		s.say(DataLoss, High, "what an acknowledgement promises changes: %s", values(d))
	}
	for _, d := range s.take("spec", "activity") {
		s.say(Availability, Medium, "whether it runs at all changes: %s: people can neither book nor cancel while it is Asleep", values(d))
	}
	for _, d := range s.take("spec", "workingHours") {
		s.say(Availability, Medium, "when it runs changes: %s: people can neither book nor cancel outside these hours", values(d))
	}
	for _, d := range s.at("spec", "routes") {
		if d.new == nil {
			d.told = true
			s.say(DataLoss, Medium, "a route goes: %s: %s", d.path, values(d))
		}
	}
	for _, d := range s.take("spec", "routes") {
		s.say(Availability, Medium, "routes change: %s: %s", d.path, values(d))
	}
	for _, d := range s.take("spec", "database", "backup") {
		level := High
		if d.old == nil {
			level = Low // There was no way back before.
		}
		s.say(DataLoss, level, "backups change: %s: %s", policy.Path(d.path[2:]), values(d))
	}
	for _, part := range []string{"gateway", "service", "database", "broker"} {
		for _, d := range s.take("spec", part) {
			class, level := Availability, Low
			if lowered(d.old, d.new) {
				level = Medium
			}
			s.say(class, level, "%s: %s: %s", part, policy.Path(d.path[2:]), values(d))
		}
	}
}

func storageClass(s *subject) {
	if s.operation == policy.Delete {
		s.say(Availability, Medium, "deleted: no new volumes of it")
	}
}

func admission(s *subject) {
	if s.operation == policy.Delete {
		s.say(Exposure, High, "deleted: what it refused is allowed")
		return
	}
	for _, d := range s.take("spec") {
		s.say(Exposure, Medium, "what is refused changes: %s: %s", d.path, values(d))
	}
}
