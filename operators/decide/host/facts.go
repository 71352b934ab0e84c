// SPDX-License-Identifier: Apache-2.0

// Package host decides how a host is drained, fenced and returned: facts in, a plan and
// what holds it back out. Nothing here reads or changes anything.
package host

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Node is a host as the cluster knows it.
type Node struct {
	// Name of the node.
	Name string
	// Ready, Cordoned and Fenced (it has the out-of-service taint).
	Ready, Cordoned, Fenced bool
}

// serves says that the node does all that it should; up, that it runs what it has.
func (n Node) serves() bool { return n.up() && !n.Cordoned }
func (n Node) up() bool     { return n.Ready && !n.Fenced }

// Member of a part: a pod.
type Member struct {
	// Pod as namespace/name, and the node that it is on; empty when it waits for one.
	Pod, Node string
	// Ready as of the pod. That of a pod on a node that is not ready counts for nothing.
	Ready bool
	// Primary is a database's member that accepts writes. Astray is one that is ready as a pod
	// and does not receive what the primary writes, by that one's word: it counts for nothing.
	Primary, Astray bool
}

// Part is a group of members that keep something together.
type Part struct {
	// Name for people: "database of spine-messaging/spine".
	Name string
	// Known says that the members below could be read, and how many there should be.
	Known bool
	// Desired members.
	Desired int32
	// Quorum parts need a majority; of others one member is enough.
	Quorum bool
	// Members that exist.
	Members []Member
}

// Pod that is on the host.
type Pod struct {
	// Namespace and Name.
	Namespace, Name string
	// GraceSeconds that it may take to end.
	GraceSeconds int32
}

func (p Pod) String() string { return p.Namespace + "/" + p.Name }

// Facts are what every decision on a host rests on.
type Facts struct {
	// Host by the name of its node.
	Host string
	// Nodes of the site, the host among them unless it does not exist.
	Nodes []Node
	// Parts that have a member on some host.
	Parts []Part
	// Pods on the host that would be moved: neither a DaemonSet's nor static.
	Pods []Pod
}

// Decision is a plan, and what holds it back. With blockers it may be empty.
type Decision struct {
	Plan     api.Plan
	Blockers []api.Blocker
}

// Node returns the host's node; nil when there is none.
func (f Facts) Node() *Node {
	if i := slices.IndexFunc(f.Nodes, func(n Node) bool { return n.Name == f.Host }); i >= 0 {
		return &f.Nodes[i]
	}
	return nil
}

// elsewhere counts the ready members of a part on other hosts that are ready.
func (f Facts) elsewhere(p Part) int32 {
	var n int32
	for _, m := range p.Members {
		up := slices.ContainsFunc(f.Nodes, func(n Node) bool { return n.Name == m.Node && n.up() })
		if m.Ready && !m.Astray && up && m.Node != f.Host {
			n++
		}
	}
	return n
}

// others blocks while another host is not what it should be: one at a time.
func (f Facts) others(reason string, well func(Node) bool) []api.Blocker {
	var away []string
	for _, n := range f.Nodes {
		if n.Name != f.Host && !well(n) {
			away = append(away, n.Name)
		}
	}
	if len(away) == 0 {
		return nil
	}
	return []api.Blocker{blocker(reason, "host %s is not in service already: return it first (ReturnHost), or mend it", strings.Join(away, " and "))}
}

// unknown blocks while a part's members are not known.
func (f Facts) unknown() []api.Blocker {
	var out []api.Blocker
	for _, p := range f.Parts {
		if !p.Known {
			out = append(out, blocker(api.ReasonStateUnknown, "the members of the %s are not known: nothing is touched while that is so", p.Name))
		}
	}
	return out
}

// oneAway blocks unless all members but the host's own are there: the host's are the one
// member that may be away.
func (f Facts) oneAway() []api.Blocker {
	out := f.unknown()
	for _, p := range f.Parts {
		if !p.Known {
			continue
		}
		least := int32(1)
		if p.Quorum {
			least = p.Desired - 1
		}
		if n := f.elsewhere(p); n < least {
			out = append(out, blocker(api.ReasonQuorumAtRisk, "the %s would be left with %d of %d members, and needs %d: mend what is missing or wait until it is back",
				p.Name, n, p.Desired, least))
		}
	}
	return out
}

// majority blocks unless every quorum holds without the host.
func (f Facts) majority() []api.Blocker {
	out := f.unknown()
	for _, p := range f.Parts {
		if n, least := f.elsewhere(p), p.Desired/2+1; p.Known && p.Quorum && n < least {
			out = append(out, blocker(api.ReasonQuorumAtRisk, "the %s has %d of %d members without this host, and needs %d: its own quorum is what has to be mended first",
				p.Name, n, p.Desired, least))
		}
	}
	return out
}

func (f Facts) missing() Decision {
	var names []string
	for _, n := range f.Nodes {
		names = append(names, n.Name)
	}
	return blocked(api.ReasonTargetNotFound, "there is no host %s: expected one of %s", f.Host, strings.Join(names, ", "))
}

func blocked(reason, format string, args ...any) Decision {
	return Decision{
		Plan:     api.Plan{Summary: "nothing: it is blocked", Steps: []api.PlannedStep{}},
		Blockers: []api.Blocker{blocker(reason, format, args...)},
	}
}

func blocker(reason, format string, args ...any) api.Blocker {
	return api.Blocker{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
